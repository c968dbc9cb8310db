import { describe, expect, it } from 'vitest'
import { chooseWindow, localeOf, pathOf, readCall, show, stands, type Call } from '../src/worker/calls'

const call: Call = { groupId: 'g1', seq: 7, count: 1, group: '发布列车', sender: '林晚', text: '发车了' }

describe('a call', () => {
  it('shows group, sender and text, and leads to the message', () => {
    expect(show(call, undefined, 'zh-CN')).toEqual({
      title: '发布列车',
      options: { body: '林晚：发车了', tag: 'g1', renotify: true, icon: '/icon-192.png', lang: 'zh-CN', data: { seq: 7, count: 1, path: '/g/g1/7' } },
    })
    const { group: _, ...direct } = call
    expect(show(direct, undefined, 'en')).toMatchObject({ title: '林晚', options: { body: '发车了' } })
  })

  it('says nothing of what was said to who wants no preview', () => {
    expect(show({ groupId: 'g1', seq: 7, count: 1 }, undefined, 'zh-CN')).toMatchObject({ title: 'Qun', options: { body: '一条新消息' } })
    expect(show({ groupId: 'g1', seq: 7, count: 12 }, undefined, 'en')).toMatchObject({ title: 'Qun', options: { body: '12 new messages' } })
  })

  it('renews the one of its group, and counts on', () => {
    const first = show(call, undefined, 'en').options
    const next = show({ ...call, seq: 9, count: 2, text: 'Come on board' }, first.data, 'en').options
    expect(next.tag).toBe(first.tag)
    expect(next.data).toEqual({ seq: 9, count: 3, path: '/g/g1/9' })
    expect(next.body).toBe('林晚: Come on board\n3 new messages')
  })

  it('stays away where a page was faster', () => {
    const kept = show(call, undefined, 'en').options.data
    expect(stands(call, kept)).toBe(true)
    expect(stands({ ...call, seq: 8 }, kept)).toBe(false)
    expect(stands(call, undefined)).toBe(false)
    expect(stands({}, kept)).toBe(false)
  })

  it('is shown whatever it carries: a browser that stays silent loses its subscription', () => {
    for (const odd of [undefined, '', 'null', '7', '"x"', '[]', '{"groupId":7,"seq":1}', '{"groupId":"g"}']) {
      expect(readCall(odd)).toEqual({})
      expect(show(readCall(odd), undefined, 'en')).toMatchObject({ title: 'Qun', options: { body: 'A new message', data: { path: '/' } } })
    }
    expect(readCall(JSON.stringify(call))).toEqual(call)
  })

  it('leads nowhere but into this app', () => {
    expect(pathOf({ groupId: '//evil.example', seq: 3 })).toBe('/g/%2F%2Fevil.example/3')
    expect(pathOf({})).toBe('/')
  })
})

describe('a click on it', () => {
  const page = (name: string, focused: boolean, visibilityState: string) => ({ name, focused, visibilityState })
  it('brings forward the page that is looked at, else one in sight, else the last', () => {
    const [a, b, c] = [page('a', false, 'hidden'), page('b', false, 'visible'), page('c', true, 'visible')]
    expect(chooseWindow([a, b, c])).toBe(c)
    expect(chooseWindow([a, b])).toBe(b)
    expect(chooseWindow([a])).toBe(a)
    expect(chooseWindow([])).toBeUndefined()
  })
})

it('is worded in the language of the app, and before that is known in the browser’s', () => {
  expect(localeOf('en', 'zh-CN')).toBe('en')
  expect(localeOf(undefined, 'zh-Hant')).toBe('zh-CN')
  expect(localeOf('fr', 'de')).toBe('en')
})
