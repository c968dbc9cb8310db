// What stands around the protocol: other origins, cookies, compression, the browser's client.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { missing, noTestbed, root, startTestbed } from "./server.mjs";
import { Frames, Poller, request } from "./wire.mjs";

const noBundle = missing(`${root}/web/dist/socket.io/socket.io.min.js`, "make web");
const poll = "?EIO=4&transport=polling";
const crossOrigin = { Origin: "http://a.test" };

describe("the testbed over HTTP", { skip: noTestbed }, () => {
  let server;
  before(async () => { server = await startTestbed(); });
  after(() => server?.stop());
  const get = (path, headers) => request(server.url + path, { headers });

  describe("another origin", () => {
    test("is let in everywhere where all are", async () => {
      for (const path of [`/socket.io/${poll}`, `/socket.io/${poll}&sid=none`]) {
        assert.equal((await get(path, crossOrigin)).headers["access-control-allow-origin"], "*", path);
      }
    });

    test("is let in with credentials where it is named, on errors too", async () => {
      for (const path of [`/cred/${poll}`, `/cred/${poll}&sid=none`, "/cred/?EIO=3&transport=polling"]) {
        const { headers } = await get(path, crossOrigin);
        assert.equal(headers["access-control-allow-origin"], "http://a.test", path);
        assert.equal(headers["access-control-allow-credentials"], "true", path);
        assert.match(headers.vary, /Origin/, path);
      }
    });

    test("that is not named is never confirmed", async () => {
      const { headers } = await get(`/cred/${poll}`, { Origin: "http://b.test" });
      assert.notEqual(headers["access-control-allow-origin"], "http://b.test");
      assert.notEqual(headers["access-control-allow-origin"], "*");
    });

    test("hears nothing where nobody thought of it", async () => {
      const { headers } = await get(`/nocors/${poll}`, crossOrigin);
      assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("access-control")), []);
    });

    test("may ask first", async () => {
      const { status, headers, text } = await request(`${server.url}/cred/${poll}`, {
        method: "OPTIONS",
        headers: { ...crossOrigin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-mine" },
      });
      assert.deepEqual([status, text], [204, ""]);
      assert.equal(headers["access-control-allow-origin"], "http://a.test");
      assert.match(headers["access-control-allow-methods"], /POST/);
      assert.equal(headers["access-control-allow-headers"], "x-mine");
    });
  });

  test("a cookie names the session once, where one was asked for", async () => {
    const peer = await Poller.open(server, "/cookie/");
    const [cookie] = peer.handshake.headers["set-cookie"];
    assert.deepEqual(cookie.split("; ").sort(), ["HttpOnly", "Path=/", "SameSite=Lax", `io=${peer.sid}`].sort());
    assert.equal((await peer.post("40")).headers["set-cookie"], undefined);
    assert.equal((await Poller.open(server)).handshake.headers["set-cookie"], undefined);
    const frames = await Frames.open(server, "/cookie/");
    assert.match(frames.headers["set-cookie"][0], new RegExp(`^io=${frames.open.sid};`));
    frames.leave();
  });

  describe("compression of polls", () => {
    const inflate = { gzip: gunzipSync, deflate: inflateSync };
    const large = async (headers, size = 5000) => {
      const peer = await Poller.open(server);
      await peer.connected();
      for (;;) {
        await peer.send("3", `42["big",${size}]`);
        const answer = await peer.get(headers);
        const body = (inflate[answer.headers["content-encoding"]] ?? ((bytes) => bytes))(answer.bytes).toString();
        if (body.includes("xxx")) return { ...answer, body };
      }
    };
    for (const [accepted, encoding] of [
      ["gzip", "gzip"], ["deflate", "deflate"], ["deflate;q=0.5, gzip", "gzip"], ["gzip;q=0, deflate", "deflate"],
      ["identity", undefined], ["gzip;q=0", undefined], ["br", undefined],
    ]) {
      test(`follows Accept-Encoding: ${accepted}`, async () => {
        const { headers, bytes, body } = await large({ "Accept-Encoding": accepted });
        assert.equal(headers["content-encoding"], encoding);
        assert.match(body, /"big","x{5000}"\]/);
        assert.equal(bytes.length < 1000, encoding !== undefined);
      });
    }

    test("spares what is small", async () => {
      assert.equal((await large({ "Accept-Encoding": "gzip" }, 500)).headers["content-encoding"], undefined);
    });
  });

  describe("compression of WebSocket messages", () => {
    const bytesOf = async (path) => {
      const frames = await Frames.join(server, path, { perMessageDeflate: true });
      const before = frames.ws._socket.bytesRead;
      frames.send('42["big",100000]');
      assert.equal((await frames.hear()).length, 100_000 + '42["big",""]'.length);
      const read = frames.ws._socket.bytesRead - before;
      frames.send(`42["message","${"y".repeat(20_000)}"]`); // compressed by the client
      assert.match(await frames.hear(), /y{20000}/);
      frames.leave();
      return { read, extension: frames.ws.extensions };
    };

    test("happens where it was asked for", async () => {
      const { read, extension } = await bytesOf("/deflate/");
      assert.equal(extension, "permessage-deflate");
      assert.ok(read < 10_000, `${read} bytes`);
    });

    test("is not offered elsewhere", async () => {
      const { read, extension } = await bytesOf("/socket.io/");
      assert.equal(extension, "");
      assert.ok(read > 100_000, `${read} bytes`);
    });

    test("does not lift the limit", async () => {
      const frames = await Frames.join(server, "/deflate/", { perMessageDeflate: { threshold: 0 } });
      frames.send(`42["message","${"z".repeat(2_000_000)}"]`);
      assert.equal(await frames.end(), 1009);
    });
  });

  describe("the client for browsers", { skip: noBundle }, () => {
    for (const name of ["socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"]) {
      test(`is there as ${name}, with its map`, async () => {
        for (const file of [name, `${name}.map`]) {
          const { status, headers, bytes } = await get(`/socket.io/${file}`, crossOrigin);
          assert.equal(status, 200, file);
          assert.match(headers["content-type"], file.endsWith(".map") ? /json/ : /javascript/);
          assert.match(headers.etag, /^(W\/)?".+"$/);
          assert.equal(headers["cache-control"], "public, max-age=0");
          assert.equal(headers["access-control-allow-origin"], "*");
          assert.ok(bytes.length > 10_000, file);
          for (const tag of [headers.etag, `W/${headers.etag.replace("W/", "")}`]) {
            assert.equal((await get(`/socket.io/${file}`, { "If-None-Match": tag })).status, 304, tag);
          }
        }
      });
    }

    test("is compressed for who can read it", async () => {
      const plain = await get("/socket.io/socket.io.min.js");
      for (const [encoding, expand] of [["gzip", gunzipSync], ["br", brotliDecompressSync]]) {
        const { headers, bytes } = await get("/socket.io/socket.io.min.js", { "Accept-Encoding": encoding });
        if (encoding === "br" && headers["content-encoding"] === undefined) continue; // it may be left out
        assert.equal(headers["content-encoding"], encoding);
        assert.deepEqual(expand(bytes), plain.bytes);
      }
    });

    test("is served where it was asked for, and nothing else is", async () => {
      for (const path of ["/nocors/socket.io.js", "/socket.io/nothing.js", "/socket.io/../socket.io.js", "/socket.io/package.json"]) {
        const { status } = await get(path);
        assert.ok(status === 400 || status === 404, `${path}: ${status}`);
      }
    });
  });
});
