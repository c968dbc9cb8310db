// One observer for all that wants to know whether it is on the screen.

const told = new Map<Element, (seen: boolean) => void>()
let observer: IntersectionObserver | undefined

/** Says whether an element is on the screen, now and whenever that changes, until the returned function is called. */
export function onSight(element: Element, tell: (seen: boolean) => void): () => void {
  observer ??= new IntersectionObserver((entries) => {
    for (const entry of entries) told.get(entry.target)?.(entry.isIntersecting)
  })
  told.set(element, tell)
  observer.observe(element)
  return () => {
    told.delete(element)
    observer?.unobserve(element)
  }
}
