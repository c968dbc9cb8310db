// The HTTP door as programs use it: the document by the official schema of OpenAPI 3.1, and a script with fetch beside the official
// client: it uploads, sends, reads, and nobody else reads what is not theirs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { libraries } from "./client.mjs";
import { noQun, startQun } from "./server.mjs";

const version = "4.8.4";

describe("the chat over HTTP", { skip: noQun }, () => {
  let server;
  before(async () => { server = await startQun(); });
  after(() => server?.stop());

  for (const form of ["json", "yaml"]) {
    test(`its document is valid OpenAPI 3.1, as ${form}`, async () => {
      const answer = await fetch(`${server.url}/openapi.${form}`);
      const text = await answer.text();
      const checked = await new Validator().validate(form === "json" ? JSON.parse(text) : text);
      assert.deepEqual(checked.errors ?? [], []);
      assert.ok(checked.valid);
    });
  }

  test("a script uploads a file and sends it, and the room has it", async (t) => {
    const socket = libraries[version].io(server.url, { forceNew: true, reconnection: false });
    t.after(() => socket.disconnect());
    const entered = await socket.emitWithAck("joinRoom", { roomName: "机房", nickName: "小明" });
    assert.ok(entered.ok, JSON.stringify(entered));
    const groupId = entered.group.groupId;
    const said = await socket.emitWithAck("sendMessage", { groupId, message: "first words make a member" });
    assert.ok(said.ok, JSON.stringify(said));
    const ask = (path, init = {}) =>
      fetch(server.url + path, { ...init, headers: { Authorization: `Bearer ${entered.token}`, ...init.headers } });

    const form = new FormData();
    form.append("file", new Blob([Buffer.from("日志\n")]), "构建 17.log");
    const uploaded = await ask("/api/v1/files", { method: "POST", body: form, headers: { "Idempotency-Key": "17" } });
    const { file } = await uploaded.json();
    assert.equal(uploaded.status, 200);
    assert.equal(file.name, "构建 17.log");

    const heard = new Promise((resolve) => socket.on("message", (m) => m.kind === "file" && resolve(m)));
    const sent = await ask(`/api/v1/groups/${groupId}/messages`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ files: [file.fileId], clientId: "build-17" }),
    });
    const { message } = await sent.json();
    assert.equal(sent.status, 200);
    const live = await heard;
    assert.deepEqual([live.seq, live.files, live.message], [message.seq, [file], `[文件] 构建 17.log ${server.url}${file.url}`]);

    const opened = await fetch(server.url + file.url);
    assert.equal(await opened.text(), "日志\n");
    assert.match(opened.headers.get("Content-Disposition"), /^attachment; .*filename\*=UTF-8''%E6%9E%84%E5%BB%BA%2017\.log$/);
    const page = await (await ask(`/api/v1/groups/${groupId}/messages?limit=1`)).json();
    assert.deepEqual(page.messages.map((m) => m.clientId), ["build-17"]);
  });
});
