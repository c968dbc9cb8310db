const local = /^https?:\/\/(?:localhost|[^/:]+\.localhost|127\.|\[::1\]|0\.0\.0\.0)/
const near = /^http:\/\/(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|\[f[cde]|[^./:]+(?=[:/]|$)|[^/:]+\.local\b)/

/** What addresses of this server begin with on other devices; undefined where it is reached from this machine alone. */
export function outward(told: string | undefined, here = location.origin): string | undefined {
  if (!local.test(here)) return here
  return told !== undefined && !local.test(told) ? told.replace(/\/$/, '') : undefined
}

/** Whether an address works inside one network only. */
export function isNear(address: string): boolean {
  return near.test(address)
}
