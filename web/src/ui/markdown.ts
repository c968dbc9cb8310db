import { Lexer, Tokenizer, type Token, type Tokens } from 'marked'
import { h, type VNodeArrayChildren } from 'vue'
import { CodeBlock } from './CodeBlock'

// Message text is Markdown of a small kind: bold, italic, struck, code, quotes, lists, links. Tokens become VNodes, so
// nothing a peer writes is ever HTML. What is not of that kind (headings, tables, HTML, images) stays text as typed.

type Children = VNodeArrayChildren

const nothing = () => undefined

/** An address ends before punctuation, Chinese or not, that closes the sentence around it. */
const address = /^https?:\/\/[^\s<>"'，。；：！？、（）【】《》「」『』“”‘’…]+/i

class Words extends Tokenizer {
  override code = nothing
  override heading = nothing
  override lheading = nothing
  override hr = nothing
  override table = nothing
  override html = nothing
  override tag = nothing
  override def = nothing
  override reflink = nothing
  override autolink = nothing
  override url(src: string): Tokens.Link | undefined {
    const found = address.exec(src)?.[0].replace(/[.,;:!?)\]}*_~]+$/, '')
    if (!found) return undefined
    return { type: 'link', raw: found, href: found, text: found, tokens: [{ type: 'text', raw: found, text: found, escaped: false }] }
  }
}

const options = { gfm: true, breaks: true, tokenizer: new Words() }

/** Deeper nesting than anybody writes is shown as typed: it would only cost time. */
const absurd = /^(?:[ \t]*(?:>|[-*+]|\d+[.)])){12}/m

/** One line without any sign that could mean something: most of what people write, and the parser takes its time. */
const signs = /[\\`*_~<>[\n]|https?:|^\s|^(?:[-+]|\d+[.)])/i

const deepest = 12
const parsed = new Map<string, Children>()
const kept = 600 // parsed texts: more than stand in the page at once

/** Who is named in a text, and how: my own name is marked apart. */
export interface Names {
  me: string | undefined
  mentioned: readonly string[]
}

const nobody: Names = { me: undefined, mentioned: [] }

/** Renders a message's text. */
export function render(source: string, names: Names = nobody): Children {
  if (names.mentioned.length > 0) return build(source, names)
  let nodes = parsed.get(source)
  if (!nodes) {
    nodes = build(source, names)
    parsed.set(source, nodes)
    if (parsed.size > kept) parsed.delete(parsed.keys().next().value!)
  }
  return nodes
}

/** A quote ends with its line: what is typed below it is the answer. */
function endQuotes(source: string): string {
  if (!source.includes('>')) return source
  const parts = source.split(/(```[\s\S]*?(?:```|$))/) // odd ones are code
  return parts.map((part, i) => (i % 2 ? part : part.replace(/^([ \t]*>.*)\n(?![ \t]*(?:>|\n|$))/gm, '$1\n\n'))).join('')
}

function build(source: string, names: Names): Children {
  if (!signs.test(source)) return [paragraph(mark(source, names))]
  if (absurd.test(source)) return [paragraph(plain(source, names))]
  try {
    return blocks(new Lexer(options).lex(endQuotes(source)), names, 0)
  } catch {
    return [paragraph(plain(source, names))] // nested beyond what the stack takes
  }
}

function blocks(tokens: Token[], names: Names, depth: number): Children {
  return tokens.flatMap((token) => block(token, names, depth))
}

function block(token: Token, names: Names, depth: number): Children {
  if (depth > deepest) return [paragraph(plain(token.raw, names))]
  switch (token.type) {
    case 'space':
      return []
    case 'paragraph':
      return [paragraph(inlines(token.tokens ?? [], names, depth + 1))]
    case 'code':
      return [token.text ? codeBlock(token as Tokens.Code) : paragraph(plain(token.raw, names))]
    case 'blockquote':
      return [h('blockquote', blocks(token.tokens ?? [], names, depth + 1))]
    case 'list':
      return [list(token as Tokens.List, names, depth + 1)]
    case 'text':
      return 'tokens' in token && token.tokens ? inlines(token.tokens, names, depth + 1) : plain(token.raw, names)
    default:
      return [paragraph(plain(token.raw, names))]
  }
}

const paragraph = (children: Children) => h('p', children)

function codeBlock(token: Tokens.Code) {
  const language = token.lang?.match(/^[\w+#.-]{1,20}/)?.[0]
  return h(CodeBlock, { code: token.text, ...(language && { language }) })
}

function list(token: Tokens.List, names: Names, depth: number) {
  const items = token.items.map((item) => h('li', blocks(item.tokens, names, depth)))
  return token.ordered ? h('ol', { start: token.start || 1 }, items) : h('ul', items)
}

function inlines(tokens: Token[], names: Names, depth: number): Children {
  return tokens.flatMap((token) => inline(token, names, depth))
}

function inline(token: Token, names: Names, depth: number): Children {
  if (depth > deepest) return plain(token.raw, names)
  const inside = () => inlines(('tokens' in token && token.tokens) || [], names, depth + 1)
  switch (token.type) {
    case 'strong':
      return [h('strong', inside())]
    case 'em':
      return [h('em', inside())]
    case 'del':
      return [h('s', inside())]
    case 'codespan':
      return [h('code', (token as Tokens.Codespan).text)]
    case 'br':
      return [h('br')]
    case 'escape':
      return [token.text as string]
    case 'link':
      return link(token as Tokens.Link, inside, names)
    case 'text':
      return 'tokens' in token && token.tokens ? inside() : plain(token.raw, names)
    default:
      return plain(token.raw, names)
  }
}

function link(token: Tokens.Link, inside: () => Children, names: Names): Children {
  if (!/^(?:https?:\/\/|mailto:)/i.test(token.href)) return plain(token.raw, names)
  return [h('a', { href: token.href, target: '_blank', rel: 'noopener noreferrer' }, inside())]
}

/** Text as it was typed, line breaks kept, names of the mentioned marked. */
function plain(text: string, names: Names): Children {
  return text.split('\n').flatMap((line, i) => (i === 0 ? mark(line, names) : [h('br'), ...mark(line, names)]))
}

function mark(line: string, names: Names): Children {
  if (!line.includes('@')) return [line]
  for (const name of names.mentioned) {
    const at = line.indexOf('@' + name)
    if (at < 0) continue
    const after = line.slice(at + name.length + 1)
    const own = name === names.me
    return [...mark(line.slice(0, at), names), h('span', { class: own ? 'mention mine' : 'mention' }, '@' + name), ...mark(after, names)]
  }
  return [line]
}
