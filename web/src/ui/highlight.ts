import { h, type VNodeArrayChildren } from 'vue'

// The colours of code: four, never more. The grammars are large, so they are fetched when the first code is shown.

type Tree = { type: string; value?: string; properties?: { className?: string[] }; children?: Tree[] }

const colours: [RegExp, string][] = [
  [/^hljs-(?:keyword|built_in|selector|name|tag|section|meta|doctag|title)/, 'code-key'],
  [/^hljs-(?:string|regexp|char|quote|addition|link|attr)/, 'code-str'],
  [/^hljs-(?:number|literal|symbol|variable|template|bullet|deletion|type)/, 'code-num'],
  [/^hljs-comment/, 'code-dim'],
]
const longest = 20_000 // characters that are worth colouring

let made: Promise<(language: string, code: string) => Tree | undefined> | undefined

function load() {
  return (made ??= import('lowlight').then(({ common, createLowlight }) => {
    const low = createLowlight(common)
    return (language, code) => (low.registered(language) ? (low.highlight(language, code) as Tree) : undefined)
  }))
}

/** Code in colours, or undefined where nobody knows the language. */
export async function colour(language: string, code: string): Promise<VNodeArrayChildren | undefined> {
  if (code.length > longest) return undefined
  const tree = (await load())(language.toLowerCase(), code)
  return tree && nodes(tree)
}

function nodes(tree: Tree): VNodeArrayChildren {
  return (tree.children ?? []).map((child) => {
    if (child.type === 'text') return child.value ?? ''
    const name = child.properties?.className?.[0] ?? ''
    const colour = colours.find(([known]) => known.test(name))?.[1]
    return h('span', colour ? { class: colour } : null, nodes(child))
  })
}
