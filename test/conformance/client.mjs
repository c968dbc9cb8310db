// Official clients, and what they hear.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const libraries = {
  "4.8.4": require("client-4.8"),
  "4.3.2": require("client-4.3"),
  "3.1.3": require("client-3.1"),
};

export const versions = Object.keys(libraries);

export const transports = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
};

/** How long to wait for something that must come. */
const patience = 10_000;

/** Peer is one client of one version over one transport. It writes down every frame that its server sends. */
export class Peer {
  frames = []; // Engine.IO messages as text, sids taken out
  heard = []; // what the page's listener would get, whole
  #left = new WeakSet(); // connections given up
  #wake = new Set();

  constructor(url, { version = "4.8.4", transport = "websocket", ...options } = {}) {
    const { io } = libraries[version];
    this.socket = io(url, { transports: transports[transport], forceNew: true, autoConnect: false, ...options });
    this.transport = transport;
    this.socket.on("message", (message) => { this.heard.push(message); this.#ring(); });
    for (const event of ["connect", "disconnect", "connect_error"]) this.socket.on(event, () => this.#ring());
  }

  /** connect opens the connection and waits for it. */
  async connect() {
    this.open();
    await this.until(() => this.socket.connected, "a connection");
    return this;
  }

  /** open starts to connect without waiting. */
  open() {
    this.socket.connect();
    const { engine } = this.socket.io;
    engine.on("packet", (packet) => { if (!this.#left.has(engine)) this.#write(packet); });
    for (const event of ["upgrade", "close"]) engine.on(event, () => this.#ring());
  }

  join(roomName, nickName) { this.socket.emit("joinRoom", { roomName, nickName }); }

  say(room, nickName, message) { this.socket.emit("sendMessage", { room, nickName, message }); }

  /** ask emits with an ack and waits for the answer. */
  ask(event, payload) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ack for ${event}`)), patience);
      this.socket.emit(event, payload, (answer) => { clearTimeout(timer); resolve(answer); });
    });
  }

  /** hears waits for the nth message since the beginning, and gives it. */
  async hears(n) {
    await this.until(() => this.heard.length >= n, `${n} messages`);
    return this.heard[n - 1];
  }

  /** settled waits for the transport that was asked for: an upgrade may still be under way. */
  async settled() {
    const wanted = transports[this.transport].at(-1);
    await this.until(() => this.socket.io.engine.transport.name === wanted, `transport ${wanted}`);
  }

  async until(holds, what) {
    const end = Date.now() + patience;
    while (!holds()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`waited in vain for ${what}; heard ${JSON.stringify(this.heard)}`);
      await new Promise((resolve) => {
        const timer = setTimeout(done, Math.min(left, 100));
        const wake = this.#wake;
        wake.add(done);
        function done() { clearTimeout(timer); wake.delete(done); resolve(); }
      });
    }
  }

  close() { this.socket.disconnect(); }

  /** leave closes the connection and waits until nothing of it is left. What still arrives on it meanwhile does not count. */
  async leave() {
    const { engine } = this.socket.io;
    this.#left.add(engine);
    this.close();
    await this.until(() => engine.readyState === "closed", "the end of the connection");
  }

  #ring() { for (const wake of [...this.#wake]) wake(); }

  #write({ type, data }) {
    if (type === "open") this.frames.push(`open ${Object.keys(JSON.parse(data)).sort()} upgrades=${JSON.parse(data).upgrades}`);
    if (type === "message") this.frames.push(seedFrame(data));
  }
}

/** seedFrame leaves of a frame what the seed's server would have put into it. */
function seedFrame(text) {
  if (typeof text !== "string") return "binary";
  if (text.startsWith("0{")) return `0{${Object.keys(JSON.parse(text.slice(1)))}}`;
  if (!text.startsWith('2["message",')) return text;
  const [event, { nickName, message }, ...more] = JSON.parse(text.slice(1));
  return `2${JSON.stringify([event, { nickName, message }, ...more])}`;
}
