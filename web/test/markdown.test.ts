import { describe, expect, test } from 'vitest'
import { isVNode, type VNode } from 'vue'
import { CodeBlock } from '../src/ui/CodeBlock'
import { render } from '../src/ui/markdown'

/** The VNodes as they would stand in HTML, for reading; text is escaped so that elements and text cannot be confused. */
function html(nodes: unknown): string {
  if (Array.isArray(nodes)) return nodes.map(html).join('')
  if (!isVNode(nodes)) return String(nodes ?? '').replace(/</g, '&lt;')
  const { type, props, children } = nodes as VNode
  if (type === CodeBlock) return html((CodeBlock.setup as (p: unknown) => () => VNode)(props)()) // as it is before its colours come
  const shown = ['href', 'class', 'start'].flatMap((key) => (props?.[key] ? [` ${key}="${props[key]}"`] : [])).join('')
  return type === 'br' ? '<br>' : `<${String(type)}${shown}>${html(children)}</${String(type)}>`
}

const shows = (source: string) => html(render(source))

describe('markdown', () => {
  test.each([
    ['**bold**, *italic*, ~~gone~~ and `code`', '<p><strong>bold</strong>, <em>italic</em>, <s>gone</s> and <code>code</code></p>'],
    ['one\ntwo', '<p>one<br>two</p>'],
    ['> asked\nanswered', '<blockquote><p>asked</p></blockquote><p>answered</p>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. c\n4. d', '<ol start="3"><li>c</li><li>d</li></ol>'],
    ['```sql\nselect 1;\n```', '<div class="code"><pre><code>select 1;</code></pre><span class="code-language">sql</span></div>'],
    ['[site](https://example.org/a)', '<p><a href="https://example.org/a">site</a></p>'],
  ])('%j is formatted', (source, expected) => expect(shows(source)).toBe(expected))

  test.each([
    ['# not a heading', '<p># not a heading</p>'],
    ['@林晚 3.5 - 2) = a|b & c; me@example.org, www.example.org!', '<p>@林晚 3.5 - 2) = a|b & c; me@example.org, www.example.org!</p>'],
    ['-1 degree', '<p>-1 degree</p>'],
    ['    four spaces', '<p>    four spaces</p>'],
    ['a | b\n--|--\n1 | 2', '<p>a | b<br>--|--<br>1 | 2</p>'],
    ['title\n---', '<p>title<br>---</p>'],
    ['<img src=x onerror=alert(1)>', '<p>&lt;img src=x onerror=alert(1)></p>'],
    ['<script>alert(1)</script>', '<p>&lt;script>alert(1)&lt;/script></p>'],
    ['&lt;b&gt; & &amp;', '<p>&lt;b&gt; & &amp;</p>'],
    ['[x](javascript:alert(1))', '<p>[x](javascript:alert(1))</p>'],
    ['[x](data:text/html,hi)', '<p>[x](data:text/html,hi)</p>'],
    ['![pic](https://example.org/a.png)', '<p>![pic](https://example.org/a.png)</p>'],
  ])('%j stays as typed', (source, expected) => expect(shows(source)).toBe(expected))

  test('an address ends where the sentence around it ends', () => {
    expect(shows('看 https://example.org/board。然后')).toBe('<p>看 <a href="https://example.org/board">https://example.org/board</a>。然后</p>')
    expect(shows('(see https://example.org/a).')).toBe('<p>(see <a href="https://example.org/a">https://example.org/a</a>).</p>')
  })

  test('names of the mentioned are marked, my own apart', () => {
    const nodes = render('@林晚 and @小满 but not @阿澈', { me: '小满', mentioned: ['林晚', '小满'] })
    expect(html(nodes)).toBe('<p><span class="mention">@林晚</span> and <span class="mention mine">@小满</span> but not @阿澈</p>')
  })

  test.each([
    ['>'.repeat(8000)], ['> '.repeat(4000)], ['- '.repeat(4000)], ['*'.repeat(8000)], ['['.repeat(8000)], ['`'.repeat(7999)],
    ['**a'.repeat(2600)], ['_a_'.repeat(2600)], ['~~a'.repeat(2600)], ['[a]('.repeat(2000)], ['http://'.repeat(1100)], ['1. '.repeat(2600)], ['<a '.repeat(2600)],
  ])('hostile text %# costs less than half a second and loses nothing', (source) => {
    const cost = () => {
      const began = performance.now()
      shows(source)
      return performance.now() - began
    }
    expect(Math.min(cost(), cost(), cost())).toBeLessThan(500) // what else the machine does is no matter
    const text = shows(source).replace(/<[^>]*>/g, '')
    expect(text.length).toBeGreaterThan(0)
  })
})
