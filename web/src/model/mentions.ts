/** The letters between an @ and the caret; undefined when the caret stands behind none. An @ within a word (a mail address) is none. */
export function wordAtCaret(source: string, caret: number): string | undefined {
  return /(?:^|[\s\p{P}\p{Script=Han}])@([^\s@]{0,32})$/u.exec(source.slice(0, caret))?.[1]
}

/** Who of those that were chosen still stands in the text. */
export function mentionsIn(source: string, chosen: ReadonlyMap<string, string>): string[] | undefined {
  const ids = [...chosen].filter(([name]) => source.includes('@' + name)).map(([, id]) => id)
  return ids.length > 0 ? [...new Set(ids)] : undefined
}
