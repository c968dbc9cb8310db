// Every official client, over every transport, in the clear and over TLS, with each parser: text, bytes, and acks both ways.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { libraries, transports, versions } from "./client.mjs";
import { noTestbed, startTestbed } from "./server.mjs";
import { stranger } from "./wire.mjs";

const parsers = {
  "the default parser": { path: "/socket.io" },
  "the msgpack parser": { path: "/msgpack", parser: createRequire(import.meta.url)("socket.io-msgpack-parser") },
};
const text = ["你好 <&> \u2028 🎉", { list: [1, -2.5, null, true], empty: {} }, "", 9007199254740991];
const binary = [Buffer.from([0, 1, 255]), { deep: [Buffer.from("é"), { empty: Buffer.alloc(0) }] }, "between", Buffer.alloc(70_000, 7)];

for (const [way, secure] of [["in the clear", false], ["over TLS", true]]) {
  describe(`official clients and the testbed, ${way}`, { skip: noTestbed }, () => {
    let server;
    before(async () => { server = await startTestbed({ secure }); });
    after(() => server?.stop());

    for (const [parserName, options] of Object.entries(parsers)) {
      for (const version of versions) {
        for (const [transport, ways] of Object.entries(transports)) {
          test(`${version} over ${transport} with ${parserName}`, async (t) => {
            const socket = libraries[version].io(server.url, {
              transports: ways, forceNew: true, reconnection: false, auth: { token: "口令" }, ...stranger, ...options,
            });
            t.after(() => socket.disconnect());
            await converse(socket, ways.at(-1));
            assert.equal((await call(socket, "handshake"))[0].secure, secure);
          });
        }
      }
    }
  });
}

async function converse(socket, transport) {
  socket.on("need-ack", (number, answer) => answer("answer", number, Buffer.from([0, 255])));
  assert.deepEqual(await hears(socket, "auth"), [{ token: "口令" }]);

  // Before the upgrade if there is one, and after it.
  for (const when of ["at first", `over ${transport}`]) {
    if (when !== "at first") await settled(socket.io.engine, transport);
    for (const args of [text, binary, [], [null]]) {
      socket.emit("message", ...args);
      assert.deepEqual(await hears(socket, "message-back"), args, when);
      assert.deepEqual(await call(socket, "message-with-ack", ...args), args, when);
    }
  }

  socket.emit("bin");
  assert.deepEqual(await hears(socket, "bin"), [{ a: Buffer.from([1, 2, 3]), b: [Buffer.from([4])] }, "x"]);
  socket.emit("ask");
  assert.deepEqual(await hears(socket, "got-ack"), ["answer", 1, Buffer.from([0, 255])]);
  socket.emit("burst", 500);
  const numbers = [];
  socket.on("seq", (n) => numbers.push(n));
  await call(socket, "message-with-ack");
  assert.deepEqual(numbers, [...Array(500).keys()]);
  assert.equal(socket.io.engine.transport.name, transport);
}

const patience = 10_000;

function hears(socket, event) {
  return within(`the event ${event}`, (resolve, reject) => {
    socket.once(event, (...args) => resolve(args));
    socket.once("connect_error", reject);
    socket.once("disconnect", (reason) => reject(new Error(`disconnected while waiting for ${event}: ${reason}`)));
  });
}

const call = (socket, event, ...args) =>
  within(`the ack of ${event}`, (resolve) => { socket.emit(event, ...args, (...answer) => resolve(answer)); });

const settled = (engine, transport) =>
  within(`transport ${transport}`, (resolve) => {
    if (engine.transport.name === transport) resolve();
    else engine.once("upgrade", resolve);
  });

function within(what, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
    start((value) => { clearTimeout(timer); resolve(value); }, (error) => { clearTimeout(timer); reject(error); });
  });
}
