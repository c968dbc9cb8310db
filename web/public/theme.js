// Runs before the first paint: the page is never shown in the other theme or language first.
// src/ui/preferences.ts reads and writes the same keys.
(function () {
  var read = function (key) { try { return JSON.parse(localStorage.getItem(key)) } catch (e) { return null } }
  var root = document.documentElement
  var theme = read('qun.theme')
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.dataset.theme = dark ? 'dark' : 'light'
  var locale = read('qun.locale')
  var chinese = locale ? locale === 'zh-CN' : /^zh\b/i.test(navigator.language)
  root.lang = chinese ? 'zh-CN' : 'en'
  document.querySelector('meta[name=theme-color]').content = dark ? '#161A19' : '#FFFEFB'
})()
