import { expect, it } from 'vitest'
import { isNear, outward } from '../src/ui/address'

it('never hands out an address that only this machine has', () => {
  for (const here of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'http://qun.localhost:3000']) {
    expect(outward(undefined, here)).toBeUndefined()
    expect(outward('http://localhost:3000', here)).toBeUndefined()
    expect(outward('http://127.0.0.1:3000', here)).toBeUndefined()
    expect(outward('http://192.168.1.20:3000/', here)).toBe('http://192.168.1.20:3000')
    expect(outward('https://chat.example.org', here)).toBe('https://chat.example.org')
  }
})

it('keeps the address a page came from, where others may come from there, too', () => {
  expect(outward('http://10.0.0.2:3000', 'http://192.168.1.20:3000')).toBe('http://192.168.1.20:3000')
  expect(outward(undefined, 'http://localhost.example.org')).toBeUndefined() // rather none than a wrong one
})

it('knows an address of one network', () => {
  for (const one of ['http://192.168.1.20:3000', 'http://10.1.2.3', 'http://172.20.0.1:80', 'http://100.64.0.1', 'http://raspberrypi:3000', 'http://pi.local:3000', 'http://[fd00::1]:3000']) expect(isNear(one), one).toBe(true)
  for (const one of ['https://chat.example.org', 'http://172.32.0.1', 'http://chat.example.org:3000', 'http://8.8.8.8']) expect(isNear(one), one).toBe(false)
})
