// The programs of examples/ as their readers run them: the bots with tokens of bots, the TypeScript client compiled against the types
// that the server serves.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { libraries } from "./client.mjs";
import { noPython, noQun, python, root, startQun, withoutLimits } from "./server.mjs";

const modules = join(import.meta.dirname, "node_modules");
const examples = join(root, "examples");

/** folder is a new folder with the packages that the examples ask for. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "example-"));
  t.after(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, "node_modules"));
  symlinkSync(join(modules, "client-4.8"), join(path, "node_modules/socket.io-client"));
  symlinkSync(join(modules, "@types"), join(path, "node_modules/@types"));
  return path;
}

/** run starts a program; said(text) waits until it has printed that. */
function run(t, program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill());
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { printed += chunk; });
  const said = async (text) => {
    for (const end = Date.now() + 20_000; !printed.includes(text); await new Promise((resolve) => setTimeout(resolve, 20))) {
      assert.ok(Date.now() < end && child.exitCode === null, `waited in vain for ${JSON.stringify(text)}; it printed\n${printed}`);
    }
  };
  return { child, said };
}

describe("examples", { skip: noQun }, () => {
  let server;
  before(async () => { server = await startQun({ args: [...withoutLimits, "--registration", "open"] }); });
  after(() => server?.stop());

  /** member registers somebody and connects as one. */
  async function member(t, username) {
    const ask = async (method, path, body, token) => {
      const answer = await fetch(`${server.url}/api/v1${path}`, {
        method, headers: { "Content-Type": "application/json", ...token && { Authorization: `Bearer ${token}` } }, body: JSON.stringify(body),
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return text && JSON.parse(text);
    };
    const { token } = await ask("POST", "/users", { username, password: "correct horse", token: true });
    const socket = libraries["4.8.4"].io(server.url, { auth: { token }, forceNew: true });
    t.after(() => socket.disconnect());
    assert.ok((await socket.emitWithAck("hello", { protocol: 1 })).ok);
    return { socket, ask: (method, path, body) => ask(method, path, body, token) };
  }

  const bots = {
    JavaScript: { file: "bot.mjs", program: process.execPath },
    Python: { file: "bot.py", program: python, skip: noPython },
  };
  for (const [language, { file, program, skip }] of Object.entries(bots)) {
    test(`the bot in ${language} has twenty lines at most`, () => {
      assert.ok(readFileSync(join(examples, file), "utf8").trimEnd().split("\n").length <= 20);
    });

    test(`the bot in ${language} answers, in a group it is added to while it runs`, { skip }, async (t) => {
      const lin = await member(t, `lin-${file.replace(".", "-")}`);
      const bot = await lin.ask("POST", "/me/bots", { nickName: `Ping ${language}`, scopes: ["read", "send"] });
      const here = folder(t);
      copyFileSync(join(examples, file), join(here, file));
      const running = run(t, program, [join(here, file), server.url], { QUN_TOKEN: bot.token });
      await running.said(`Ping ${language} listens in 0 groups`);

      const { group } = await lin.socket.emitWithAck("createGroup", { name: "robots" });
      await lin.ask("PUT", `/groups/${group.groupId}/bots/${bot.user.userId}`);
      const answered = new Promise((resolve) => lin.socket.on("message", (m) => m.message === "pong" && resolve(m)));
      const { message } = await lin.socket.emitWithAck("sendMessage", { groupId: group.groupId, message: "ping" });
      const pong = await answered;
      assert.deepEqual([pong.userId, pong.replyTo, pong.clientId], [bot.user.userId, message.seq, `pong-${message.id}`]);
    });
  }

  test("the TypeScript client compiles against the served types, and talks", async (t) => {
    const here = folder(t);
    for (const file of ["talk.ts", "tsconfig.json", "package.json"]) copyFileSync(join(examples, "typescript", file), join(here, file));
    writeFileSync(join(here, "client.d.ts"), await (await fetch(`${server.url}/client.d.ts`)).text());
    writeFileSync(join(here, "wrong.ts"), wrong);
    await compile(here);

    const anna = libraries["4.8.4"].io(server.url, { forceNew: true });
    t.after(() => anna.disconnect());
    const heard = new Promise((resolve) => anna.on("message", (m) => m.message === "你好" && resolve(m)));
    assert.ok((await anna.emitWithAck("joinRoom", { roomName: "类型", nickName: "Anna" })).ok);
    const running = run(t, process.execPath, [join(here, "talk.js"), server.url, "类型", "你好"]);
    const { nickName, seq } = await heard;
    assert.equal(nickName, "TypeScript");
    await running.said(`#${seq} is on disk`);
    const gone = new Promise((resolve) => running.child.on("exit", resolve));
    anna.emit("sendMessage", { room: "类型", message: "bye" });
    await running.said("Anna: bye");
    assert.equal(await gone, 0);
  });
});

async function compile(folder) {
  const tsc = join(modules, "typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch((failed) => assert.fail(failed.stdout));
}

/** wrong is what the types have to refuse: tsc complains about every line that is fine after all. */
const wrong = `
import type { Socket } from "socket.io-client";
import type { Answer, ClientToServer, Role, Sent, ServerToClient } from "./client.js";

export async function wrong(socket: Socket<ServerToClient, ClientToServer>): Promise<void> {
  // @ts-expect-error there is no such request
  await socket.emitWithAck("sendMesage", { groupId: "g", message: "" });
  // @ts-expect-error a group's id is text
  await socket.emitWithAck("history", { groupId: 1 });
  // @ts-expect-error which group?
  await socket.emitWithAck("history", {});
  // @ts-expect-error nothing is pushed by that name
  socket.on("notice", () => {});
  const answer: Answer<Sent> = await socket.emitWithAck("sendMessage", { groupId: "g", message: "hi" });
  // @ts-expect-error it may be a refusal
  answer.message;
  // @ts-expect-error nobody is a king
  const role: Role = "king";
  // @ts-expect-error a message may have no number
  socket.on("message", (m): number => "id" in m ? m.seq : 0);
}
`;
