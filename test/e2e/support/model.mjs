/** The page's model of the room that is open: found in the components that show it, the app gives no handle. */
export const openRoom = (page) => page.evaluateHandle(() => {
  const find = (vnode) => {
    const room = vnode?.component?.props?.room
    if (room?.log) return room
    const below = [vnode?.component?.subTree, ...(Array.isArray(vnode?.children) ? vnode.children : []), vnode?.suspense?.activeBranch]
    for (const one of below) {
      const found = one && typeof one === 'object' ? find(one) : undefined
      if (found) return found
    }
  }
  return find(document.querySelector('#app')._vnode)
})

/** What it holds. */
export const held = async (page) => page.evaluate(({ log }) => {
  const rows = log.all().map(({ seq, rev, userId, message, editedAt, recalledAt, reactions = [] }) => ({
    seq, rev, userId, message, editedAt, recalledAt, reactions: reactions.filter((r) => r.count > 0).map((r) => r.emoji + r.count).sort(),
  }))
  return { head: log.head, rows }
}, await openRoom(page))

/** Everything that can be scrolled to, from where the reader is to the oldest, as it is seen. */
export const seen = async (page) => page.evaluate(async (room) => {
  const pane = document.querySelector('[data-testid=timeline]')
  const all = new Map()
  const paint = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
  const note = () => {
    for (const row of pane.querySelectorAll('[data-seq]')) {
      const reactions = [...row.querySelectorAll('[data-testid=reaction]')].map((r) => r.textContent.trim()).sort()
      all.set(Number(row.dataset.seq), [row.querySelector('.text')?.textContent ?? row.textContent.trim(), ...reactions].join(' '))
    }
    return all.size
  }
  note()
  for (let still = 0, before = 0; still < 12; ) {
    pane.scrollTop = 0
    await paint()
    const now = note()
    still = now === before && !room.loading ? still + 1 : 0 // not while a page is on its way
    if (now === before) await new Promise((done) => setTimeout(done, 20))
    before = now
  }
  return [...all].sort(([a], [b]) => a - b).map(([seq, text]) => `${seq} ${text}`)
}, await openRoom(page))
