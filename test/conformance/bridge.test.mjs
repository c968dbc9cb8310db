// A Node server with the official Redis adapter, and the official emitter, beside Qun: what is said in groups reaches Node's
// clients, and what they emit reaches Qun's where it is let in.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { libraries } from "./client.mjs";
import { startNode } from "./cluster.mjs";
import { noQun, noRedis, startQun, startRedis, withoutLimits } from "./server.mjs";

const { io } = libraries["4.8.4"];

describe("Node servers beside Qun", { skip: noRedis || noQun, timeout: 60_000 }, () => {
  let redis, node, qun, publisher, emitter, open, closed;

  before(async () => {
    redis = await startRedis();
    node = await startNode(redis.url, "classic", "node");
    publisher = createClient({ url: redis.url });
    await publisher.connect();
    emitter = new Emitter(publisher);
    const args = [...withoutLimits, "--redis", redis.url, "--redis-node"];
    qun = await startQun({ args });
    [open, closed] = await Promise.all(["open", "closed"].map(async (room) => (await person(room)).group));
    args.push("--redis-open", `g/${open}`);
    await qun.halt();
    await qun.resume();
    // Both have to listen before anybody speaks: Qun to the open room, and Node to all of them.
    await until(async () => (await publisher.sendCommand(["PUBSUB", "NUMSUB", `socket.io#/#g/${open}#`]))[1] === 1, "Qun to listen");
    await until(async () => (await publisher.sendCommand(["PUBSUB", "NUMPAT"])) >= 1, "Node to listen");
  });

  after(async () => {
    await qun?.stop();
    await node?.stop();
    await publisher?.quit();
    await redis?.stop();
  });

  /** person enters a room of Qun's. */
  async function person(room, full = false) {
    const socket = await client(qun.url);
    if (full) await socket.timeout(10_000).emitWithAck("hello", { protocol: 1 });
    const entered = await socket.timeout(10_000).emitWithAck("joinRoom", { roomName: room, nickName: `p${Math.random()}`.slice(0, 12) });
    assert.ok(entered.ok, JSON.stringify(entered));
    return Object.assign(socket, { group: entered.group.groupId });
  }

  /** others is a client of the Node server's, in rooms. */
  async function others(...rooms) {
    const socket = await client(node.url);
    await socket.timeout(10_000).emitWithAck("join", rooms);
    return socket;
  }

  test("what is said in a group reaches clients of Node's, as Qun's own hear it", async () => {
    const speaker = await person("open", true), listener = await person("open");
    const inside = await others(`g/${open}`, `f/${open}`), outside = await others(`g/${closed}`);
    const answer = await speaker.timeout(10_000).emitWithAck("sendMessage", { groupId: open, message: "你好 <b>" });
    const said = (socket) => socket.heard.filter(([event, m]) => event === "message" && m.message === "你好 <b>");
    await until(() => said(inside).length === 1 && said(listener).length === 1, "both to hear it");
    assert.deepEqual(said(inside), said(listener));
    assert.equal(said(inside)[0][1].seq, answer.message.seq);

    const changed = await speaker.timeout(10_000).emitWithAck("editMessage", { groupId: open, seq: answer.message.seq, message: "再见" });
    assert.ok(changed.ok, JSON.stringify(changed));
    await until(() => inside.heard.some(([event, c]) => event === "change" && c.message?.message === "再见"), "the change");
    assert.deepEqual(outside.heard, []);
    for (const socket of [speaker, listener, inside, outside]) socket.disconnect();
  });

  test("what others emit to an open room reaches the people in it, and is not kept", async () => {
    const inside = await person("open"), outside = await person("closed"), theirs = await others(`g/${open}`);
    const senders = { emitter: () => emitter.to(`g/${open}`).emit("notice", { n: 1 }, Buffer.from([1, 2])), node: () => node.io.to(`g/${open}`).emit("notice", { n: 2 }) };
    for (const [name, emit] of Object.entries(senders)) {
      emit();
      await until(() => inside.heard.some(([event]) => event === "notice"), `a notice of ${name}`);
      const notices = inside.heard.splice(0).filter(([event]) => event === "notice");
      assert.equal(notices.length, 1);
      assert.deepEqual(notices[0], name === "emitter" ? ["notice", { n: 1 }, Buffer.from([1, 2])] : ["notice", { n: 2 }]);
    }
    // To several rooms, of which one is open: nobody in the others hears of it.
    emitter.to(`g/${closed}`).to(`g/${open}`).emit("notice", { n: 3 });
    await until(() => inside.heard.some(([, n]) => n?.n === 3), "the notice to two rooms");
    const page = await inside.timeout(10_000).emitWithAck("history", { groupId: open });
    assert.ok(page.ok && page.messages.every((m) => m.kind !== "notice"), JSON.stringify(page));
    assert.deepEqual(outside.heard.filter(([event]) => event === "notice"), []);
    for (const socket of [inside, outside, theirs]) socket.disconnect();
  });

  test("what is not opened reaches nobody, and nobody speaks as the chat", async () => {
    const inside = await person("open"), outside = await person("closed");
    inside.heard.length = outside.heard.length = 0;
    const before = await counts();
    emitter.to(`g/${closed}`).emit("closed", 1);
    emitter.emit("everybody", 1);
    emitter.to(outside.id).emit("one", 1);
    emitter.of("/other").to(`g/${open}`).emit("elsewhere", 1);
    emitter.to(`g/${open}`).emit("message", { message: "forged", seq: 1000 });
    emitter.to(`g/${open}`).emit("change", { head: 1000 });
    emitter.in(`g/${open}`).socketsJoin(`g/${closed}`);
    emitter.in(`g/${open}`).disconnectSockets(true);
    emitter.serverSideEmit("hello");
    await publisher.publish(`socket.io#/#g/${open}#`, "no MessagePack");
    await publisher.publish(`socket.io#/#g/${open}#`, Buffer.from([0x93, 0xff]));
    emitter.to(`g/${open}`).emit("mark");
    await until(() => inside.heard.some(([event]) => event === "mark"), "the mark");
    assert.deepEqual(inside.heard, [["mark"]]);
    assert.deepEqual(outside.heard, []);
    assert.ok(inside.connected && outside.connected);
    // What is for everybody, for one, and twice in the chat's name; the rest Qun does not even hear.
    assert.deepEqual(await counts(), { refused: before.refused + 4, malformed: before.malformed + 2 });
    for (const socket of [inside, outside]) socket.disconnect();
  });

  test("Node servers that ask one another do not wait for Qun", async () => {
    const theirs = await others(`g/${open}`);
    assert.ok((await node.io.in(`g/${open}`).fetchSockets()).some((s) => s.id === theirs.id));
    theirs.disconnect();
  });

  /** counts is what Qun has not taken so far. */
  async function counts() {
    const text = await (await fetch(`${qun.url}/metrics`)).text();
    const of = (name) => Number(text.match(new RegExp(`^qun_bridge_${name}_total (\\S+)$`, "m"))?.[1]);
    return { refused: of("refused"), malformed: of("malformed") };
  }
});

async function client(url) {
  const socket = io(url, { transports: ["websocket"], forceNew: true, reconnection: false });
  socket.heard = [];
  socket.onAny((...event) => socket.heard.push(event));
  await until(() => socket.connected, "a connection");
  return socket;
}

async function until(ok, what) {
  for (const end = Date.now() + 10_000; !(await ok()); ) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
