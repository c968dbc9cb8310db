// What the reference does wrong and we do not: who may speak, and under whose name. And what a plain client, which has no ack and
// no second listener, is told when something is refused.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Peer, transports } from "./client.mjs";
import { noQun, startQun } from "./server.mjs";

const member = "林老师";
let rooms = 0;
const freshRoom = () => `规矩 ${++rooms}`;

describe("the rules of qun serve", { skip: noQun }, () => {
  let server;
  before(async () => { server = await startQun({ members: [member] }); });
  after(() => server?.stop());

  /** enter gives a connected peer that has joined, its own join line heard. */
  const enter = async (t, room, nickName, options) => {
    const peer = await arrive(t, options);
    peer.join(room, nickName);
    await peer.hears(1);
    return peer;
  };
  const arrive = (t, options) => {
    const peer = new Peer(server.url, options);
    t.after(() => peer.close());
    return peer.connect();
  };
  /** silence proves that peer got nothing beyond its first n messages: a line of its own arrives right after them. */
  const silence = async (peer, n) => {
    peer.join(freshRoom(), "anybody");
    const { kind } = await peer.hears(n + 1);
    assert.equal(kind, "join", JSON.stringify(peer.heard));
  };

  for (const transport of Object.keys(transports)) {
    test(`who never joined cannot speak into a room (${transport})`, async (t) => {
      const room = freshRoom();
      const anna = await enter(t, room, "Anna", { transport });
      const mallory = await arrive(t, { transport });
      mallory.say(room, "Anna", "let me in");
      const notice = await mallory.hears(1);
      assertNotice(notice);
      await silence(anna, 1);
      mallory.join(room, "Mallory");
      await mallory.hears(2);
      mallory.say(room, "Mallory", "now I may");
      assert.equal((await mallory.hears(3)).message, "now I may");
    });

    test(`who joined one room cannot speak into another (${transport})`, async (t) => {
      const [here, there] = [freshRoom(), freshRoom()];
      const anna = await enter(t, there, "Anna", { transport });
      const mallory = await enter(t, here, "Mallory", { transport });
      mallory.say(there, "Anna", "from outside");
      assertNotice(await mallory.hears(2));
      await silence(anna, 1);
    });

    test(`a nickname in a payload changes nothing (${transport})`, async (t) => {
      const room = freshRoom();
      const anna = await enter(t, room, "Anna", { transport });
      const ben = await enter(t, room, "Ben", { transport });
      await anna.hears(2);
      ben.say(room, "Anna", "I am Anna");
      const first = await anna.hears(3);
      assert.deepEqual([first.nickName, first.message], ["Ben", "I am Anna"]);
      ben.join(room, "Anna"); // the name was bound when this socket joined first
      ben.say(room, "Anna", "now I am Anna");
      await anna.until(() => anna.heard.some(({ message }) => message === "now I am Anna"), "the second line");
      const names = anna.heard.slice(2).map(({ nickName }) => nickName);
      assert.deepEqual(new Set(names), new Set(["Ben"]));
    });
  }

  const origins = {
    "http://localhost:1234": true,
    "http://127.0.0.1:5500": true,
    "http://[::1]:8080": true,
    null: true, // a file
    "https://evil.example": false,
    "http://localhost.evil.example": false,
    "http://evil.example:3000": false,
  };
  for (const [origin, welcome] of Object.entries(origins)) {
    for (const transport of ["polling", "websocket"]) {
      test(`pages of ${origin} ${welcome ? "may" : "may not"} connect (${transport})`, async (t) => {
        const peer = new Peer(server.url, { transport, reconnection: false, extraHeaders: { Origin: origin } });
        t.after(() => peer.close());
        let refused = false;
        peer.socket.on("connect_error", () => { refused = true; });
        peer.open();
        await peer.until(() => peer.socket.connected || refused, "an outcome");
        assert.equal(peer.socket.connected, welcome);
      });
    }
  }

  test("an ack says NOT_IN_ROOM", async (t) => {
    const [here, there] = [freshRoom(), freshRoom()];
    const mallory = await enter(t, here, "Mallory");
    const answer = await mallory.ask("sendMessage", { room: there, nickName: "Mallory", message: "hello?" });
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, "NOT_IN_ROOM");
    assert.ok(answer.error.message);
  });

  for (const taken of [member, ` ${member} `, `林\u200b老师`]) {
    test(`a member's name is not to be had by ${JSON.stringify(taken)}`, async (t) => {
      const room = freshRoom();
      const anna = await enter(t, room, "Anna");
      const guest = await enter(t, room, taken);
      assert.match((await anna.hears(2)).nickName, /（访客）$/);
      guest.say(room, member, "试试");
      const said = await anna.hears(3);
      assert.match(said.nickName, /（访客）$/);
      assert.equal(said.message, "试试");
    });
  }

  test("with an ack a member's name is refused, and another suggested", async (t) => {
    const guest = await arrive(t);
    const answer = await guest.ask("joinRoom", { roomName: freshRoom(), nickName: member });
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, "NAME_TAKEN");
    assert.ok(answer.error.suggestion ?? answer.suggestion, JSON.stringify(answer));
  });

  test("the guests' suffix cannot be typed", async (t) => {
    const room = freshRoom();
    const anna = await enter(t, room, "Anna");
    await enter(t, room, "Ben（访客）");
    assert.doesNotMatch((await anna.hears(2)).nickName, /（访客）$/);
  });

  test("without a nickname one gets 访客 and four digits", async (t) => {
    for (const nickName of [undefined, "", "   ", 7, null]) {
      const guest = await enter(t, freshRoom(), nickName);
      assert.match(guest.heard[0].nickName, /^访客\s?\d{4}$/);
    }
  });

  test("over-long nicknames and control characters are cut", async (t) => {
    const long = await enter(t, freshRoom(), "长".repeat(100));
    assert.equal(long.heard[0].nickName, "长".repeat(32));
    const odd = await enter(t, freshRoom(), "A\u0000n\u0007n\u202ea");
    assert.equal(odd.heard[0].nickName, "Anna");
  });

  test("an empty message is nothing, and the next one arrives", async (t) => {
    const room = freshRoom();
    const anna = await enter(t, room, "Anna");
    for (const message of ["", undefined, null, 7, { text: "x" }, ["x"]]) anna.say(room, "Anna", message);
    anna.say(room, "Anna", "something");
    assert.equal((await anna.hears(2)).message, "something");
    const answer = await anna.ask("sendMessage", { room, message: "" });
    assert.equal(answer.error.code, "INVALID");
  });

  test("what was typed before joining arrives, in order, after it", async (t) => {
    const room = freshRoom();
    const anna = await enter(t, room, "Anna");
    const ben = new Peer(server.url);
    t.after(() => ben.close());
    for (const line of ["one", "two", "three"]) ben.say(room, "Ben", line); // kept by the client until it is connected
    ben.socket.on("connect", () => ben.join(room, "Ben"));
    await ben.connect();
    await anna.hears(5);
    assert.deepEqual(anna.heard.slice(2).map(({ nickName, message }) => [nickName, message]), [["Ben", "one"], ["Ben", "two"], ["Ben", "three"]]);
  });

  test("a plain client hears of messages alone", async (t) => {
    const room = freshRoom();
    const anna = await enter(t, room, "Anna");
    const events = [];
    anna.socket.onAny((name) => events.push(name));
    const ben = await enter(t, room, "Ben", { auth: {} });
    const { ok } = await ben.ask("hello", { protocol: 1 });
    assert.equal(ok, true);
    for (const message of ["a", "b"]) assert.equal((await ben.ask("sendMessage", { room, message })).ok, true);
    await anna.hears(4);
    assert.deepEqual(new Set(events), new Set(["message"]));
  });

  test("a message looks the same to the sender, the room and history", async (t) => {
    const room = freshRoom();
    const anna = await enter(t, room, "Anna");
    const ben = await arrive(t);
    assert.equal((await ben.ask("hello", { protocol: 1 })).ok, true);
    const joined = await ben.ask("joinRoom", { roomName: room, nickName: "Ben" });
    assert.equal(joined.ok, true);
    const { groupId } = joined.group;
    const sent = await ben.ask("sendMessage", { groupId, message: "同一句话", clientId: "c1" });
    await anna.until(() => anna.heard.at(-1)?.message === "同一句话", "the message");
    assert.deepEqual(anna.heard.at(-1), sent.message);
    const page = await ben.ask("history", { groupId, limit: 10 });
    assert.deepEqual(page.messages.at(-1), sent.message);
    const user = await ben.ask("getUser", { userId: sent.message.userId });
    assert.equal(user.user.nickName, "Ben");
    const group = await ben.ask("getGroup", { groupId });
    assert.equal(group.group.room, room);
  });
});

test("a flood is refused with one notice, and a pause cures it", { skip: noQun }, async (t) => {
  const server = await startQun({ args: [] });
  t.after(() => server.stop());
  const anna = new Peer(server.url);
  t.after(() => anna.close());
  await anna.connect();
  const room = freshRoom();
  anna.join(room, "Anna");
  await anna.hears(1);
  for (let i = 0; i < 30; i++) anna.say(room, "Anna", `flood ${i}`);
  await anna.until(() => anna.heard.some(({ kind }) => kind === "notice"), "a notice");
  const refused = await anna.ask("sendMessage", { room, message: "and one more" });
  assert.equal(refused.error.code, "RATE_LIMITED");
  assert.ok(refused.error.retryAfter > 0, JSON.stringify(refused));
  assert.equal(anna.heard.filter(({ kind }) => kind === "notice").length, 1);
  await new Promise((resolve) => setTimeout(resolve, refused.error.retryAfter + 50));
  assert.equal((await anna.ask("sendMessage", { room, message: "calm again" })).ok, true);
});

function assertNotice({ kind, nickName, message, seq }) {
  assert.equal(kind, "notice");
  assert.equal(nickName, "系统");
  assert.ok(message.length > 0);
  assert.equal(seq, undefined);
}
