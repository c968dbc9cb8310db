import { phone } from './support/browser.mjs'
import { barriers, language, overflow } from './support/looks.mjs'
import { screens } from './support/screens.mjs'

screens('screens of a phone', (tour) => {
  tour('English, on a phone: nothing in another language, no barrier in light and dark, nothing wider than its place',
    { locale: 'en-US', viewport: phone }, language('en-US'), barriers('light', 'dark'), overflow)

  tour('Chinese, on a phone: nothing in another language, nothing wider than its place',
    { locale: 'zh-CN', viewport: phone }, language('zh-CN'), overflow)
})
