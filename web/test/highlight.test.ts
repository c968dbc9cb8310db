import { expect, test } from 'vitest'
import { isVNode } from 'vue'
import { colour } from '../src/ui/highlight'

/** Every piece with its colour. */
function pieces(nodes: unknown, as = ''): string[] {
  if (Array.isArray(nodes)) return nodes.flatMap((n) => pieces(n, as))
  if (isVNode(nodes)) return pieces(nodes.children, (nodes.props?.['class'] as string) ?? as)
  return as ? [`${as}:${String(nodes)}`] : []
}

const texts = (nodes: unknown): string => (Array.isArray(nodes) ? nodes.map(texts).join('') : isVNode(nodes) ? texts(nodes.children) : String(nodes))

test('code gets four colours', async () => {
  const nodes = await colour('SQL', "select 1, 'a' -- first")
  expect(pieces(nodes)).toEqual(['code-key:select', 'code-num:1', "code-str:'a'", 'code-dim:-- first'])
})

test('a language nobody knows stays plain, and so does what is too long', async () => {
  expect(await colour('klingon', 'x')).toBeUndefined()
  expect(await colour('sql', 'x'.repeat(20_001))).toBeUndefined()
})

test('markup in code is text like any other, and none is lost', async () => {
  const code = '<img src=x onerror="alert(1)"> &amp; <!-- x -->'
  expect(texts(await colour('html', code))).toBe(code)
})
