// A client that shares no code with the official ones: Debian's python3-socketio.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { transports } from "./client.mjs";
import { noPython, noQun, noTestbed, runPython, startQun, startTestbed } from "./server.mjs";

const bytes = (hex) => ({ bytes: hex });

describe("python-socketio and the testbed", { skip: noPython || noTestbed }, () => {
  let server;
  before(async () => { server = await startTestbed(); });
  after(() => server?.stop());

  for (const [name, ways] of Object.entries(transports)) {
    test(`text, bytes and acks both ways over ${name}`, async () => {
      assert.deepEqual(await runPython("python/talk.py", "testbed", server.url, ...ways), {
        auth: ["auth", { token: "口令" }],
        text: ["message-back", "你好 <&> \u2028", { n: 1.5, none: null }],
        binary: ["message-back", bytes("000102"), { deep: [bytes("feff")] }],
        bin: ["bin", { a: bytes("010203"), b: [bytes("04")] }, "x"],
        ack: ["one", 2],
        "binary ack": { b: bytes("03") },
        asked: ["got-ack", "answer", 1, bytes("00ff")],
        large: 100_000,
        transport: ways.at(-1),
        namespaces: [
          ["entered /custom"],
          ["refused by /auth", { message: "not authorized", data: { code: "E_AUTH" } }],
          ["message-back of /custom", "there"],
        ],
      });
    });
  }
});

describe("python-socketio and the chat", { skip: noPython || noQun }, () => {
  let server;
  before(async () => { server = await startQun(); });
  after(() => server?.stop());

  for (const [name, ways] of Object.entries(transports)) {
    test(`a person enters a room and speaks over ${name}`, async () => {
      const said = await runPython("python/talk.py", "qun", server.url, ...ways);
      assert.equal(said.entered.ok, true, JSON.stringify(said.entered));
      for (const [line, nickName, message] of [["join line", "Monty", "Monty 加入了 蛇 房间"], ["message", "Monty", "嘶 <&>"]]) {
        const [event, heard] = said[line];
        assert.deepEqual([event, heard.nickName, heard.message], ["message", nickName, message]);
      }
      assert.equal(said.transport, ways.at(-1));
    });
  }
});
