// What TLS could change: the engine cannot read and write its sockets itself then.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { noTestbed, startTestbed } from "./server.mjs";
import { Frames, Poller, request } from "./wire.mjs";

describe("the testbed over TLS", { skip: noTestbed }, () => {
  let server;
  before(async () => { server = await startTestbed({ secure: true }); });
  after(() => server?.stop());

  const leaving = (t, peer) => { t.after(() => peer.leave()); return peer; };
  const joined = async (t, path) => leaving(t, await Frames.join(server, path));
  const poller = async () => {
    const peer = await Poller.open(server);
    await peer.connected();
    return peer;
  };

  test("knows that a client came over TLS, by either transport", async (t) => {
    const [handshake] = await (await joined(t)).ask("handshake");
    assert.equal(handshake.secure, true);
    const peer = await poller();
    await peer.send('427["handshake"]');
    const answer = (await peer.until(/^437/)).at(-1);
    assert.equal(JSON.parse(answer.slice(3))[0].secure, true);
  });

  test("upgrades, and keeps a burst whole and in order", async (t) => {
    const peer = await poller();
    const socket = leaving(t, await Frames.probe(peer));
    await peer.until(/^6$/);
    await peer.send('42["burst",300]');
    socket.send("5");
    for (let i = 0; i < 300; i++) assert.equal(await socket.hear(), `42["seq",${i}]`);
    await socket.pinged();
    await socket.quiet();
  });

  test("refuses an upgrade in words", async () => {
    const { status, text } = await request(`${server.url}/deny/?EIO=4&transport=websocket`, {
      headers: { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" },
    });
    assert.deepEqual([status, text], [400, "nope"]);
  });

  test("takes and sends what is large, in one piece", async (t) => {
    const peer = await joined(t);
    const message = `42["message","${"x".repeat(900_000)}"]`;
    peer.send(message);
    assert.equal((await peer.hear()).length, message.length + "-back".length);
    peer.send('42["big",3000000]');
    assert.equal((await peer.hear()).length, 3_000_000 + '42["big",""]'.length);
  });

  test("says with a code why it closes", async (t) => {
    const [large, garbled, silent] = [await joined(t), await joined(t), await joined(t)];
    large.send(`4${"x".repeat(1_000_000)}`);
    garbled.ws.send(Buffer.from([0x34, 0xff]), { binary: false });
    silent.silent = true;
    assert.deepEqual([await large.end(), await garbled.end(), await silent.end()], [1009, 1007, 1005]);
  });

  test("compresses where it was asked for", async (t) => {
    const peer = leaving(t, await Frames.join(server, "/deflate/", { perMessageDeflate: true }));
    peer.send('42["big",100000]');
    assert.equal((await peer.hear()).length, 100_000 + '42["big",""]'.length);
    assert.equal(peer.ws.extensions, "permessage-deflate");
  });

  test("is not held up by who begins TLS and stops, or speaks something else", async (t) => {
    const witness = await joined(t);
    for (const beginning of ["", "\x16\x03\x01", "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n\r\n", "\0".repeat(5000)]) {
      for (let i = 0; i < 20; i++) {
        const socket = net.connect(server.port, "localhost", () => socket.write(beginning)).on("error", () => {});
        t.after(() => socket.destroy());
      }
    }
    await pause(50);
    await (await joined(t)).quiet();
    await witness.quiet();
  });
});
