import { once } from 'node:events'
import { createServer } from 'node:http'

/** A page on this machine that stands for the web: links lead to it, and it takes what a webhook tells. */
export async function openBoard({ site, title, about }, picture) {
  const http = createServer((asked, answer) => {
    if (asked.url === '/hook') return answer.writeHead(204).end()
    if (asked.url === '/picture.png') return answer.writeHead(200, { 'Content-Type': 'image/png' }).end(picture)
    answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<title>${title}</title><meta property="og:site_name" content="${site}">
      <meta property="og:title" content="${title}"><meta property="og:description" content="${about}"><meta property="og:image" content="/picture.png">`)
  })
  const listen = (port) => once(http.listen(port, '127.0.0.1'), 'listening')
  await listen(8080).catch(() => listen(0)) // the first looks better in a picture
  return { url: (path) => `http://localhost:${http.address().port}/${path}`, close: () => (http.closeAllConnections(), http.close()) }
}
