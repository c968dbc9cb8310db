import { desk } from './support/browser.mjs'
import { barriers, language, overflow } from './support/looks.mjs'
import { screens } from './support/screens.mjs'

screens('screens of a desk', (tour) => {
  tour('Chinese, at a desk: nothing in another language, no barrier in light and dark, nothing wider than its place',
    { locale: 'zh-CN', viewport: desk }, language('zh-CN'), barriers('light', 'dark'), overflow)

  tour('English, at a desk: nothing in another language, nothing wider than its place',
    { locale: 'en-US', viewport: desk }, language('en-US'), overflow)
})
