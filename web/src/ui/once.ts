// One of several tabs does a thing that happens in all of them. Where the browser has locks they decide; elsewhere (plain
// http on a LAN) the first to write it down.

const held = 3000 // ms: longer than the tabs are apart

/** Whether this tab is the one; each name is given to one tab. */
export function claim(name: string): Promise<boolean> {
  return 'locks' in navigator ? claimByLock(name) : Promise.resolve(claimByNote(name))
}

function claimByLock(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request('qun.' + name, { ifAvailable: true }, async (lock) => {
      resolve(lock !== null)
      if (lock) await new Promise((done) => setTimeout(done, held))
    })
  })
}

function claimByNote(name: string): boolean {
  try {
    const notes = (localStorage.getItem('qun.claimed') ?? '').split('\n')
    if (notes.includes(name)) return false
    localStorage.setItem('qun.claimed', [...notes.slice(-20), name].join('\n'))
  } catch {
    // a browser that keeps nothing has no other tabs to agree with
  }
  return true
}
