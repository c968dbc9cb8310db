// HTTP requests and WebSocket frames as they are, without any client of Socket.IO.
import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import WebSocket from "ws";

const patience = 10_000;
const separator = "\x1e";

/** stranger lets a client trust a certificate that nobody vouches for. */
export const stranger = { rejectUnauthorized: false };

/** request sends one HTTP request on a connection of its own, exactly with the headers given, and reads the answer whole. */
export function request(url, { method = "GET", headers = {}, body, signal } = {}) {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith("https:") ? https : http;
    const req = request(url, { method, headers, agent: false, signal, timeout: patience, ...stranger }, async (answer) => {
      const chunks = [];
      try { for await (const chunk of answer) chunks.push(chunk); } catch (error) { return reject(error); }
      const bytes = Buffer.concat(chunks);
      resolve({ status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() });
    });
    req.on("timeout", () => req.destroy(new Error(`no answer to ${method} ${url} in ${patience} ms`)));
    req.on("error", reject);
    req.end(body);
  });
}

/** Poller is a session over HTTP long polling. */
export class Poller {
  constructor(address) { this.address = address; }

  static async open(server, path = "/socket.io/") {
    const poller = new Poller(`${server.url}${path}?EIO=4&transport=polling`);
    poller.handshake = await request(poller.address);
    assert.equal(poller.handshake.status, 200, poller.handshake.text);
    assert.match(poller.handshake.text, /^0\{/);
    poller.open = JSON.parse(poller.handshake.text.slice(1));
    poller.sid = poller.open.sid;
    poller.address += `&sid=${poller.sid}`;
    return poller;
  }

  post(...packets) { return this.postBody(packets.join(separator)); }

  postBody(body, headers = { "Content-Type": "text/plain;charset=UTF-8" }) {
    return request(this.address, { method: "POST", headers: { ...headers, "Content-Length": Buffer.byteLength(body) }, body });
  }

  /** send posts packets that must be taken. */
  async send(...packets) {
    const { status, text } = await this.post(...packets);
    assert.deepEqual({ status, text }, { status: 200, text: "ok" });
  }

  get(headers) { return request(this.address, { headers }); }

  /** hear polls until packets other than pings have come, answers the pings, and gives the rest. */
  async hear() {
    for (;;) {
      const { status, text } = await this.get();
      assert.equal(status, 200, text);
      const packets = text.split(separator);
      if (packets.includes("2")) await this.send("3");
      const rest = packets.filter((packet) => packet !== "2");
      if (rest.length > 0) return rest;
    }
  }

  /** calm waits for a ping and answers it: for a while nothing will come that is not asked for. */
  async calm() {
    const { text } = await this.get();
    assert.equal(text, "2");
    await this.send("3");
  }

  /** until polls until a packet has come that matches, and gives all that came. */
  async until(pattern) {
    const all = [];
    while (!all.some((packet) => pattern.test(packet))) all.push(...(await this.hear()));
    return all;
  }

  /** connected polls until the namespace / has been joined and its greeting heard. */
  async connected(auth = "") {
    await this.send(`40${auth}`);
    const packets = await this.until(/^42\["auth"/);
    return JSON.parse(packets.find((packet) => packet.startsWith("40")).slice(2));
  }

  /** ended waits until the server does not know the session any more. */
  async ended() {
    const end = Date.now() + patience;
    for (;;) {
      const { status, text } = await this.post("3");
      if (status === 400) return assert.deepEqual(JSON.parse(text), { code: 1, message: "Session ID unknown" });
      assert.ok(Date.now() < end, `the session is still there: ${status} ${text}`);
    }
  }
}

/** Frames is a WebSocket whose messages wait in a queue: text as a string, bytes as a Buffer. Pings of the engine are answered. */
export class Frames {
  #queue = [];
  #waiting = new Set();
  #pings = 0;

  constructor(url, options = {}) {
    this.ws = new WebSocket(url, { perMessageDeflate: false, ...stranger, ...options });
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => { this.closing = { code, reason: reason.toString() }; this.#ring(); resolve(this.closing); });
    });
    this.ws.on("error", (error) => { this.error = error; });
    this.ws.on("upgrade", ({ headers }) => { this.headers = headers; });
    this.ws.on("message", (data, binary) => {
      const message = binary ? data : data.toString();
      if (message === "2") {
        this.#pings++;
        if (!this.silent) this.send("3");
      } else {
        this.#queue.push(message);
      }
      this.#ring();
    });
  }

  get pings() { return this.#pings; }

  /** open dials the path and waits for the open packet. */
  static async open(server, path = "/socket.io/", options = {}) {
    const frames = new Frames(`${server.url.replace("http", "ws")}${path}?EIO=4&transport=websocket`, options);
    const packet = await frames.hear();
    assert.match(packet, /^0\{/);
    frames.open = JSON.parse(packet.slice(1));
    return frames;
  }

  /** join dials the path, joins the namespace / and hears its greeting, if it has one. */
  static async join(server, path, { greeting = true, ...options } = {}) {
    const frames = await Frames.open(server, path, options);
    frames.send("40");
    frames.socket = JSON.parse((await frames.hear()).slice(2));
    if (greeting) assert.equal(await frames.hear(), '42["auth",{}]');
    return frames;
  }

  /** probe dials with the sid of a session that polls, and goes as far as the answer to the probe. */
  static async probe(poller) {
    const frames = new Frames(`${poller.address.replace("http", "ws").replace("transport=polling", "transport=websocket")}`);
    await frames.ready();
    frames.send("2probe");
    assert.equal(await frames.hear(), "3probe");
    return frames;
  }

  async ready() {
    if (this.ws.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve, reject) => { this.ws.once("open", resolve); this.ws.once("error", reject); });
    }
  }

  send(...messages) { for (const message of messages) this.ws.send(message); }

  /** hear gives the next message. */
  async hear() {
    await this.#until(() => this.#queue.length > 0, "a message");
    return this.#queue.shift();
  }

  /** ask sends an event with an ack id to the namespace / and gives the arguments of the ack, which must be the next message. */
  async ask(...event) {
    this.send(`427${JSON.stringify(event)}`);
    const answer = await this.hear();
    assert.match(answer, /^437\[/);
    return JSON.parse(answer.slice(3));
  }

  /** quiet proves that nothing is on the way: the answer to a question is the next that comes. */
  async quiet() { assert.equal(typeof (await this.ask("id"))[0], "string"); }

  async pinged() {
    const before = this.#pings;
    await this.#until(() => this.#pings > before, "a ping");
  }

  /** end waits for the close and gives its code; messages that came before it are gone. */
  async end() {
    await this.#until(() => this.closing, "the end of the connection");
    return this.closing.code;
  }

  leave() { this.ws.terminate(); }

  #ring() { for (const wake of [...this.#waiting]) wake(); }

  async #until(holds, what) {
    const end = Date.now() + patience;
    while (!holds()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`waited in vain for ${what}`);
      if (this.closing && what !== "the end of the connection") throw new Error(`closed with ${this.closing.code} while waiting for ${what}`);
      await new Promise((resolve) => {
        const done = () => { clearTimeout(timer); this.#waiting.delete(done); resolve(); };
        const timer = setTimeout(done, left);
        this.#waiting.add(done);
      });
    }
  }
}
