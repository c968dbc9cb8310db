// The document of the socket's events: valid by the official schema of AsyncAPI 3, and true. What two full clients and a plain
// one send and hear is held against it, and nothing is said that it does not know.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import Ajv from "ajv";
import formats from "ajv-formats";
import { libraries } from "./client.mjs";
import { noQun, startQun, withoutLimits } from "./server.mjs";

const official = createRequire(import.meta.url)("@asyncapi/specs/schemas/3.0.0.json");

describe("the AsyncAPI document", { skip: noQun }, () => {
  let server, text;
  before(async () => {
    server = await startQun({ args: [...withoutLimits, "--registration", "open"] });
    text = await (await fetch(`${server.url}/asyncapi.json`)).text();
  });
  after(() => server?.stop());

  test("is valid AsyncAPI 3", () => {
    const ajv = new Ajv({ strict: false, meta: false, validateSchema: false }); // the schema brings its own meta schema
    formats.default(ajv);
    const valid = ajv.compile(official);
    assert.ok(valid(JSON.parse(text)), JSON.stringify(valid.errors?.slice(0, 5), null, 1));
  });

  test("says what is said", async (t) => {
    const check = exactly(JSON.parse(text));
    const members = [await member(t, "anna", check), await member(t, "bert", check)];
    const [anna, bert] = members;
    const plain = libraries["4.8.4"].io(server.url, { forceNew: true });
    t.after(() => plain.disconnect());
    plain.onAny((event, payload) => check(`${event}-push`, payload));
    const noticed = new Promise((resolve) => plain.on("message", (m) => m.kind === "notice" && resolve()));
    plain.emit("joinRoom", { roomName: "大厅", nickName: "" });
    plain.emit("sendMessage", { room: "elsewhere", message: "hi" });
    await noticed;

    const { group } = await anna.asks("createGroup", { name: "文档", members: [bert.id] });
    const groupId = group.groupId;
    await anna.asks("updateGroup", { groupId, topic: "all of it", announcement: "read this" });
    await bert.asks("readAnnouncement", { groupId });
    await bert.asks("typing", { groupId });
    const { message } = await bert.asks("sendMessage", { groupId, message: "hello @anna", mentions: [anna.id], clientId: "1" });
    const of = { groupId, seq: message.seq };
    await bert.asks("sendMessage", { groupId, message: "hello @anna", mentions: [anna.id], clientId: "1" });
    await bert.asks("editMessage", { ...of, message: "hello @anna!", mentions: [anna.id] });
    await anna.asks("react", { ...of, emoji: "👍" });
    await anna.asks("pin", of);
    await anna.asks("pins", { groupId });
    await bert.asks("removePreview", of);
    const read = new Promise((resolve) => bert.socket.once("read", resolve));
    await anna.asks("readUpTo", of);
    await read;
    await anna.asks("readBy", of);
    await anna.asks("search", { text: "hello" });
    await anna.asks("history", { groupId, around: message.seq });
    await bert.asks("updateMembership", { groupId, groupNick: "B.", draft: "well", notify: "mentions" });
    await bert.asks("report", { ...of, reason: "loud" });
    await anna.asks("reports", { groupId });
    await anna.asks("resolveReports", of);
    const { invite } = await anna.asks("invite", { groupId, maxUses: 3 });
    await anna.asks("inviteInfo", { token: invite.token });
    await anna.asks("invites", { groupId });
    await anna.asks("revokeInvite", { groupId, inviteId: invite.inviteId });
    const { group: open } = await anna.asks("createGroup", { name: "门", visibility: "public", joining: "approval" });
    await bert.asks("groups", { search: "门" });
    await bert.asks("joinRoom", { groupId: open.groupId, text: "let me in" });
    await anna.asks("joinRequests", { groupId: open.groupId });
    await anna.asks("approve", { groupId: open.groupId, userId: bert.id });
    await anna.asks("addMembers", { groupId: open.groupId, userIds: [bert.id] });
    await anna.asks("forward", { ...of, to: open.groupId, clientId: "2" });
    await anna.asks("members", { groupId, search: "b" });
    await anna.asks("setRole", { groupId, userId: bert.id, role: "admin" });
    await anna.asks("mute", { groupId, userId: bert.id });
    await anna.asks("mute", { groupId, userId: bert.id, on: false });
    await anna.asks("mute", { groupId });
    const { webhook } = await anna.asks("createWebhook", { groupId, kind: "incoming", name: "CI" });
    const named = { groupId, webhookId: webhook.webhookId };
    await anna.asks("updateWebhook", { ...named, name: "Build" });
    await anna.asks("rotateWebhook", named);
    await anna.asks("webhooks", { groupId });
    await anna.asks("deleteWebhook", named);
    await bert.asks("recallMessage", of);
    await anna.asks("getUser", { userId: bert.id });
    await anna.asks("getGroup", { groupId });
    await anna.asks("presence", { userIds: [bert.id] });
    const { group: direct } = await anna.asks("openDirect", { userId: bert.id });
    await anna.asks("block", { userId: bert.id });
    await bert.asks("updateMe", { nickName: "Bertram", settings: { theme: "dark" } });
    await anna.asks("hello", { protocol: 1, epoch: anna.epoch, heads: { [groupId]: 1, [direct.groupId]: 0 }, me: 0 });
    await anna.asks("sync", { epoch: anna.epoch, heads: { [groupId]: 1, [open.groupId]: 0 }, me: 0 });
    await anna.asks("sync", { epoch: "of another life", heads: { [groupId]: 1 } });
    await anna.asks("kick", { groupId, userId: bert.id });
    await anna.asks("ban", { groupId, userId: bert.id, until: "2099-01-01T00:00:00Z" });
    await bert.asks("sync", { epoch: anna.epoch, heads: { [groupId]: 1 }, me: 0 });
    await anna.asks("bans", { groupId });
    await anna.asks("unban", { groupId, userId: bert.id });
    await anna.asks("audit", { groupId });
    await anna.asks("announcement", { groupId });
    await anna.asks("pushKey", {});
    await anna.asks("visible", { on: true });
    await bert.asks("leaveGroup", { groupId: open.groupId });
    await anna.asks("dissolveGroup", { groupId: open.groupId });
    const empty = await anna.asks("createGroup", { name: "leer" });
    for (const name of ["pins", "invites", "joinRequests", "reports", "webhooks", "bans"]) await anna.asks(name, { groupId: empty.group.groupId });
    await anna.asks("search", { text: "nobody said this" });
    await anna.asks("presence", { userIds: [] });
    await bert.refused("hello", { protocol: 99 });
    await bert.refused("history", { groupId });
    await bert.refused("updateMe", { nickName: "anna" });

    for (const name of ["message", "change", "me", "presence", "typing"]) assert.ok(members.some((m) => m.heard.has(name)), `no ${name} was heard`);
  });

  /** member registers somebody, connects as a full client, and holds what it asks and hears against the document. */
  async function member(t, username, check) {
    const answer = await fetch(`${server.url}/api/v1/users`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password: "correct horse", token: true }),
    });
    const { token, user } = await answer.json();
    const socket = libraries["4.8.4"].io(server.url, { auth: { token }, forceNew: true });
    t.after(() => socket.disconnect());
    const one = { id: user.userId, socket, heard: new Set() };
    socket.onAny((event, payload) => { one.heard.add(event); check(`${event}-push`, payload); });
    const ask = async (name, request) => {
      check(`${name}-request`, request);
      const answer = await socket.timeout(10_000).emitWithAck(name, request);
      check(`${name}-answer`, answer);
      return answer;
    };
    one.asks = async (name, request) => {
      const answer = await ask(name, request);
      assert.ok(answer.ok, `${name}: ${JSON.stringify(answer)}`);
      return answer;
    };
    one.refused = async (name, request) => assert.ok(!(await ask(name, request)).ok, name);
    one.epoch = (await one.asks("hello", { protocol: 1 })).epoch;
    return one;
  }
});

/** exactly compiles the messages of a document so that nothing may be there of which it does not speak. */
function exactly(document) {
  const { schemas, messages } = document.components;
  const ajv = new Ajv({ strict: false });
  formats.default(ajv);
  for (const schema of Object.values(schemas)) if (schema.properties) schema.additionalProperties = false;
  const whole = (schema) => schema.allOf ? merged(schema.allOf, schemas) : schema.anyOf ? { anyOf: schema.anyOf.map(whole) } : schema;
  const compiled = Object.fromEntries(Object.entries(messages).map(([key, { payload }]) =>
    [key, ajv.compile({ ...whole(payload), components: { schemas } })]));
  return (key, payload) => {
    assert.ok(compiled[key], `the document knows no ${key}: ${JSON.stringify(payload)}`);
    assert.ok(compiled[key](payload), `${key} ${JSON.stringify(payload)}: ${ajv.errorsText(compiled[key].errors)}`);
  };
}

/** merged is one closed object of several: the "ok" of an answer and its fields. */
function merged(parts, schemas) {
  const one = { type: "object", properties: {}, required: [], additionalProperties: false };
  for (const part of parts) {
    const { properties = {}, required = [] } = part.$ref ? schemas[part.$ref.split("/").at(-1)] : part;
    Object.assign(one.properties, properties);
    one.required.push(...required);
  }
  return one;
}
