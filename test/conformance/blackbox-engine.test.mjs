// The engine from outside: refusals, polling, WebSocket, upgrades.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { noTestbed, startTestbed } from "./server.mjs";
import { Frames, Poller, request } from "./wire.mjs";

const refusals = [
  "Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden", "Unsupported protocol version",
].map((message, code) => ({ code, message }));
const limit = 1_000_000;

describe("the engine", { skip: noTestbed }, () => {
  let server;
  before(async () => { server = await startTestbed(); });
  after(() => server?.stop());

  const frames = async (t, path, options) => leaving(t, await Frames.open(server, path, options));
  const joined = async (t, path, options) => leaving(t, await Frames.join(server, path, options));
  const probing = async (t, poller) => leaving(t, await Frames.probe(poller));
  const leaving = (t, peer) => { t.after(() => peer.leave()); return peer; };
  const poller = async (path) => {
    const peer = await Poller.open(server, path);
    await peer.connected();
    return peer;
  };

  describe("refuses a request", () => {
    const cases = [
      ["without a transport", "GET", "/socket.io/?EIO=4", 0],
      ["with an unknown transport", "GET", "/socket.io/?EIO=4&transport=tachyon", 0],
      ["with a transport named like a property", "GET", "/socket.io/?EIO=4&transport=__proto__", 0],
      ["with a transport that is off", "GET", "/wsonly/?EIO=4&transport=polling", 0],
      ["whose last transport is unknown", "GET", "/socket.io/?EIO=4&transport=polling&transport=x", 0],
      ["with an unknown sid", "GET", "/socket.io/?EIO=4&transport=polling&sid=none", 1],
      ["with a sid named like a property", "GET", "/socket.io/?EIO=4&transport=polling&sid=constructor", 1],
      ["that posts to an unknown sid", "POST", "/socket.io/?EIO=4&transport=polling&sid=none", 1],
      ["that would shake hands by POST", "POST", "/socket.io/?EIO=4&transport=polling", 2],
      ["that would shake hands by HEAD", "HEAD", "/socket.io/?EIO=4&transport=polling", 2],
      ["that would shake hands by OPTIONS, where no other origin may", "OPTIONS", "/nocors/?EIO=4&transport=polling", 2],
      ["for a WebSocket that is none", "GET", "/socket.io/?EIO=4&transport=websocket", 3],
      ["of another protocol", "GET", "/socket.io/?EIO=3&transport=polling", 5],
      ["of no protocol", "GET", "/socket.io/?transport=polling", 5],
    ];
    for (const [what, method, target, code] of cases) {
      test(`${what}: ${code}`, async () => {
        const { status, headers, text } = await request(server.url + target, { method });
        assert.equal(status, 400);
        assert.equal(headers["content-type"].split(";")[0], "application/json");
        if (method !== "HEAD") assert.equal(text, JSON.stringify(refusals[code]));
      });
    }

    test("with the words of who admits: 4", async () => {
      const { status, text } = await request(`${server.url}/deny/?EIO=4&transport=polling`);
      assert.deepEqual([status, text], [403, '{"code":4,"message":"nope"}']);
    });

    test("whose sid belongs to another transport: 3", async (t) => {
      const { open } = await frames(t);
      const { status, text } = await request(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${open.sid}`);
      assert.deepEqual([status, text], [400, JSON.stringify(refusals[3])]);
    });

    test("whose sid speaks another protocol: 3", async () => {
      const { address } = await Poller.open(server);
      const { status, text } = await request(address.replace("EIO=4", "EIO=3"));
      assert.deepEqual([status, text], [400, JSON.stringify(refusals[3])]);
    });

    test("whose sid belongs to a server on another path: 1", async () => {
      const { address } = await Poller.open(server, "/nocors/");
      const { status, text } = await request(address.replace("/nocors/", "/socket.io/"));
      assert.deepEqual([status, text], [400, JSON.stringify(refusals[1])]);
    });

    const upgrades = [
      ["by who admits", "/deny/?EIO=4&transport=websocket", /nope/],
      ["of another protocol", "/socket.io/?EIO=3&transport=websocket", /Unsupported protocol version/],
      ["that names polling", "/socket.io/?EIO=4&transport=polling", /Bad request/],
      ["with an unknown sid", "/socket.io/?EIO=4&transport=websocket&sid=none", /Session ID unknown/],
    ];
    for (const [what, target, message] of upgrades) {
      test(`to upgrade ${what}, before the upgrade`, async () => {
        const { status, text } = await refusedUpgrade(server.url + target);
        assert.equal(status, 400);
        assert.match(text, message);
      });
    }

    test("for a path that nobody serves", async () => {
      assert.equal((await request(`${server.url}/nobody/?EIO=4&transport=polling`)).status, 404);
    });
  });

  describe("over polling", () => {
    test("shakes hands as the protocol says", async () => {
      const { open, handshake } = await Poller.open(server);
      assert.deepEqual(open, { sid: open.sid, upgrades: ["websocket"], pingInterval: 300, pingTimeout: 200, maxPayload: limit });
      assert.match(open.sid, /^[\w-]{20}$/);
      assert.equal(handshake.headers["content-type"], "text/plain; charset=UTF-8");
      assert.match(handshake.headers["cache-control"], /no-store/);
      assert.equal((await Poller.open(server, "/noupgrade/")).open.upgrades.length, 0);
    });

    test("answers a post with ok, and everything that waits in one body", async () => {
      const peer = await Poller.open(server);
      const { headers } = await peer.post("40");
      assert.equal(headers["content-type"].split(";")[0], "text/html");
      assert.equal(headers["content-length"], "2");
      const { text } = await peer.get();
      assert.match(text, /^40\{"sid":"[\w-]{20}"\}\x1e42\["auth",\{\}\]$/);
    });

    test("sends bytes as base64, and takes them so", async () => {
      const peer = await poller();
      await peer.send('451-["message",{"_placeholder":true,"num":0}]', "bAAEC/w==");
      assert.deepEqual(await peer.until(/^b/), ['451-["message-back",{"_placeholder":true,"num":0}]', "bAAEC/w=="]);
    });

    test("ends a session that polls twice at a time", async () => {
      const peer = await poller();
      await peer.calm();
      const first = peer.get();
      await pause(50);
      const second = await peer.get();
      assert.deepEqual([second.status, second.text], [400, ""]);
      assert.deepEqual((({ status, text }) => [status, text])(await first), [200, "1"]);
      await peer.ended();
    });

    test("ends a session whose client hangs up on a poll", async () => {
      const peer = await poller();
      await peer.calm();
      const abort = new AbortController();
      const poll = request(peer.address, { signal: abort.signal }).catch((error) => error.name);
      await pause(50);
      abort.abort();
      assert.equal(await poll, "AbortError");
      await peer.ended();
    });

    test("ends a session on its client's word, and answers the poll", async () => {
      const peer = await poller();
      await peer.calm();
      const poll = peer.get();
      await pause(50);
      await peer.send("1");
      assert.equal((await poll).text, "6");
      await peer.ended();
    });

    for (const [what, body] of Object.entries({
      "nothing": "",
      "an empty packet": "3\x1e\x1e3",
      "an empty packet at the end": "3\x1e",
      "an unknown type": "abc",
      "a ping": "2",
      "bytes that are not base64": "b\u0001??",
    })) {
      test(`ends a session that posts ${what}`, async () => {
        const peer = await poller();
        await peer.postBody(body).catch(() => {});
        await peer.ended();
      });
    }

    test("takes what stands before what it cannot read", async (t) => {
      const witness = await joined(t);
      const peer = await poller();
      await witness.ask("join", "before");
      await peer.post('42["send",{"rooms":["before"],"text":"a"}]', "x", '42["send",{"rooms":["before"],"text":"b"}]').catch(() => {});
      assert.equal(await witness.hear(), '42["room-msg","a"]');
      await peer.ended();
      await witness.quiet();
    });

    test("answers and ends a post of octets", async () => {
      const peer = await poller();
      const { status } = await peer.postBody("4x", { "Content-Type": "application/octet-stream" });
      assert.equal(status, 400);
      await peer.ended();
    });

    test("takes as much as it says, and refuses a byte more without ending the session", async () => {
      const peer = await poller();
      const fill = (size) => `42["message","${"x".repeat(size - '42["message",""]'.length)}"]`;
      await peer.send(fill(limit));
      assert.equal((await peer.until(/^42\["message-back"/)).at(-1).length, limit + "-back".length);
      assert.equal((await peer.post(fill(limit + 1)).catch(({ code }) => ({ status: code }))).status, 413);
      await peer.send('427["id"]');
      await peer.until(/^437/);
    });

    test("refuses a body of unknown length when it has grown too large", async () => {
      const peer = await poller("/small/");
      const body = `42["message","${"x".repeat(1000)}"]`;
      const { status } = await request(peer.address, { method: "POST", headers: { "Transfer-Encoding": "chunked" }, body });
      assert.equal(status, 413);
    });

    test("ends a session that does not answer pings", async () => {
      const peer = await poller();
      assert.equal((await peer.get()).text, "2");
      assert.match((await peer.get()).text, /^1$/); // without a pong
      await peer.ended();
    });

    test("does not mind other methods", async () => {
      const { address } = await Poller.open(server);
      for (const method of ["PUT", "DELETE", "PATCH"]) {
        const { status } = await request(address, { method });
        assert.ok([400, 405].includes(status), `${method}: ${status}`);
      }
    });
  });

  describe("over WebSocket", () => {
    test("shakes hands as the protocol says", async (t) => {
      const { open } = await frames(t);
      assert.deepEqual(open, { sid: open.sid, upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: limit });
    });

    test("pings, and ends who does not answer", async (t) => {
      const peer = await joined(t);
      await peer.pinged();
      await peer.pinged();
      peer.silent = true;
      await peer.pinged();
      await peer.end();
    });

    for (const message of ["abc", "9", "", "2", "2probe"]) {
      test(`ends who sends ${JSON.stringify(message)}`, async (t) => {
        const peer = await joined(t);
        peer.send(message);
        await peer.end();
      });
    }

    test("ends who says that it ends", async (t) => {
      const peer = await joined(t);
      peer.send("1");
      await peer.end();
    });

    test("does not mind packets out of place", async (t) => {
      const peer = await joined(t);
      peer.send("0", "5", "6", "3", "3", "3");
      await peer.quiet();
    });

    test("takes a message in fragments, and answers pings of the WebSocket's own", async (t) => {
      const peer = await joined(t);
      const ponged = new Promise((resolve) => peer.ws.once("pong", (data) => resolve(data.toString())));
      peer.ws.send('42["mess', { fin: false });
      peer.ws.ping("between");
      peer.ws.send('age","', { fin: false });
      peer.ws.send('é"]', { fin: true });
      assert.equal(await peer.hear(), '42["message-back","é"]');
      assert.equal(await ponged, "between");
    });

    test("takes as much as it says, and closes with 1009 on a byte more", async (t) => {
      const peer = await joined(t);
      const fill = (size) => `42["message","${"x".repeat(size - '42["message",""]'.length)}"]`;
      peer.send(fill(limit));
      assert.equal((await peer.hear()).length, limit + "-back".length);
      peer.send(fill(limit + 1));
      assert.equal(await peer.end(), 1009);
    });

    test("counts all fragments of a message together", async (t) => {
      const peer = await joined(t, "/small/");
      for (let i = 0; i < 11; i++) peer.ws.send("4".repeat(100), { fin: false });
      assert.equal(await peer.end(), 1009);
    });

    test("closes with 1007 on text that is not UTF-8", async (t) => {
      const peer = await joined(t);
      peer.ws.send(Buffer.from([0x34, 0x32, 0xff, 0xfe]), { binary: false });
      assert.equal(await peer.end(), 1007);
    });

    test("refuses a second WebSocket with the sid of a first, and leaves that alone", async (t) => {
      const patient = await probing(t, await poller());
      const peer = await joined(t);
      const thief = new Frames(`${server.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket&sid=${peer.open.sid}`);
      t.after(() => thief.leave());
      await endsBefore(thief, patient);
      await peer.quiet();
    });
  });

  describe("upgrades", () => {
    const upgrade = async (t) => {
      const peer = await poller();
      const socket = await probing(t, peer);
      return { peer, socket };
    };

    test("answer the pending poll, and switch on 5", async (t) => {
      const { peer, socket } = await upgrade(t);
      assert.deepEqual(await peer.until(/^6$/), ["6"]);
      await peer.send('42["message","by post"]');
      socket.send("5");
      assert.equal(await socket.hear(), '42["message-back","by post"]');
      const { status, text } = await peer.get();
      assert.deepEqual([status, text], [400, JSON.stringify(refusals[3])]);
      await socket.pinged();
      await socket.quiet();
    });

    test("lose nothing and double nothing", async (t) => {
      const peer = await poller();
      const heard = [];
      const keep = (packets) => heard.push(...packets.filter((p) => p.startsWith('42["late"')).map((p) => JSON.parse(p.slice(2))[1]));
      const count = 60;
      for (let i = 0; i < count; i += 10) {
        await peer.send(...Array.from({ length: 10 }, (_, k) => `42["later",${3 * (i + k)},${i + k}]`));
      }
      const socket = await probing(t, peer);
      for (let packets = []; !packets.includes("6"); ) keep(packets = await peer.hear());
      socket.send("5");
      while (heard.length < count) keep([await socket.hear()]);
      assert.deepEqual(heard.toSorted((a, b) => a - b), [...Array(count).keys()]);
    });

    test("keep a burst whole and in order, whenever the switch comes", async (t) => {
      const { peer, socket } = await upgrade(t);
      await peer.until(/^6$/);
      await peer.send('42["burst",300]');
      socket.send("5");
      for (let i = 0; i < 300; i++) assert.equal(await socket.hear(), `42["seq",${i}]`);
    });

    for (const [what, spoil] of Object.entries({
      "another packet than 5": (socket) => socket.send("4x"),
      "a close": (socket) => socket.ws.close(),
      "a cut": (socket) => socket.leave(),
    })) {
      test(`fail on ${what}, and polling goes on`, async (t) => {
        const patient = (await upgrade(t)).socket;
        const { peer, socket } = await upgrade(t);
        spoil(socket);
        await endsBefore(socket, patient);
        await peer.send('42["message","still here"]');
        await peer.until(/still here/);
      });
    }

    test("fail when the switch does not come in time", async (t) => {
      const { peer, socket } = await upgrade(t);
      const polling = peer.until(/still here/);
      await socket.end();
      await peer.send('42["message","still here"]');
      await polling;
    });

    test("end with the session", async (t) => {
      const { peer, socket } = await upgrade(t);
      await peer.send("1");
      await socket.end();
    });

    test("allow one probe at a time", async (t) => {
      const { peer, socket } = await upgrade(t);
      const second = new Frames(socket.ws.url);
      t.after(() => second.leave());
      await second.end();
      await peer.until(/^6$/);
      socket.send("5");
      await socket.quiet();
    });
  });

  test("a bare engine echoes text and bytes", async (t) => {
    const peer = await frames(t, "/engine.io/");
    peer.send("4hello", Buffer.from([1, 2, 3]));
    assert.equal(await peer.hear(), "4hello");
    assert.deepEqual(await peer.hear(), Buffer.from([1, 2, 3]));
  });
});

/** endsBefore proves that a socket was ended at once, and not by the timeout of an upgrade that began earlier. */
async function endsBefore(socket, patient) {
  const ended = (peer) => peer.end().then(() => peer);
  assert.equal(await Promise.race([ended(socket), ended(patient)]), socket);
}

/** refusedUpgrade asks for a WebSocket that must be refused, and gives the HTTP answer. */
function refusedUpgrade(url) {
  return request(url, {
    headers: {
      Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
}
