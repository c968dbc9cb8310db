// The ten lines of the READMEs are a program that works.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Peer } from "./client.mjs";
import { noQun, root, startQun } from "./server.mjs";

const program = (file) => readFileSync(join(root, file), "utf8").match(/```js\n(.*?)```/s)[1];

test("both READMEs show the same lines, ten at most", () => {
  assert.equal(program("README.md"), program("README.zh-CN.md"));
  assert.ok(program("README.md").trimEnd().split("\n").length <= 10);
});

test("the READMEs' lines talk with the room", { skip: noQun }, async (t) => {
  const server = await startQun();
  t.after(() => server.stop());
  const folder = mkdtempSync(join(tmpdir(), "talk-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(import.meta.dirname, "node_modules/client-4.8"), join(folder, "node_modules/socket.io-client"));
  writeFileSync(join(folder, "talk.mjs"), program("README.md").replace("http://localhost:3000", server.url));

  const anna = await new Peer(server.url).connect();
  t.after(() => anna.close());
  anna.join("大厅", "Anna");
  await anna.hears(1);
  const talk = spawn(process.execPath, [join(folder, "talk.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => talk.kill());
  assert.equal((await anna.hears(2)).nickName, "Terminal");
  talk.stdin.write("你好\n");
  const { nickName, message } = await anna.hears(3);
  assert.deepEqual([nickName, message], ["Terminal", "你好"]);
  let shown = "";
  talk.stdout.on("data", (chunk) => { shown += chunk; });
  anna.say("大厅", "Anna", "hello, terminal");
  const end = Date.now() + 10_000;
  while (!shown.includes("Anna: hello, terminal") && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(shown, /Anna: hello, terminal/);
});
