// Servers under test: real programs, each on a free port of loopback with a folder of its own.
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { request } from "./wire.mjs";

export const root = resolve(import.meta.dirname, "../..");
const qun = process.env.QUN_BIN ?? join(root, "bin/qun");
const seed = process.env.QUN_SEED_BIN ?? join(root, "bin/seed");
const testbed = process.env.QUN_TESTBED_BIN ?? join(root, "bin/testbed");
export const python = process.env.QUN_PYTHON ?? "/usr/bin/python3";

/** withoutLimits lifts what would refuse a test that talks faster than a person. */
export const withoutLimits = ["--limit-messages", "0", "--limit-handshakes", "0", "--limit-sockets", "0", "--limit-requests", "0"];

/** missing says why a test cannot run, or false. Where everything is required, nothing is missing: the test fails instead. */
export function missing(path, how) {
  return !existsSync(path) && process.env.QUN_REQUIRE_ALL !== "1" && `${path} is not there: ${how}`;
}

export const noQun = missing(qun, "make build");
export const noSeed = missing(seed, "make seed");
export const noTestbed = missing(testbed, "make testbed");

/** noPython says why tests cannot run that need Debian's python3-socketio, or false. */
export const noPython = process.env.QUN_REQUIRE_ALL !== "1"
  && spawnSync(python, ["-c", "import socketio, requests, websocket"]).status !== 0
  && `${python} has no client: apt-get install python3-socketio python3-requests python3-websocket`;

/** runPython runs a program of this folder and gives what it printed, as JSON. */
export async function runPython(program, ...args) {
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, program), ...args], { timeout: 60_000 });
  return JSON.parse(stdout);
}

/** startQun runs `qun serve`; restart() brings it up again on the same port and data. */
export async function startQun({ args = withoutLimits, data = mkdtempSync(join(tmpdir(), "qun-")), members = [] } = {}) {
  const port = await freePort();
  for (const nickName of members) await addMember(data, nickName);
  const url = `http://localhost:${port}`;
  const start = () => run(qun, ["serve", "--listen", `localhost:${port}`, "--data", data, ...args], `${url}/healthz`);
  let child = await start();
  return {
    url,
    port,
    halt: () => end(child),
    resume: async () => { child = await start(); },
    stop: async () => {
      await end(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** startSeed runs the engine's example. */
export async function startSeed() {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const child = await run(seed, ["-listen", `localhost:${port}`], `${url}/socket.io/?EIO=4&transport=polling`);
  return { url, port, stop: () => end(child) };
}

/** startTestbed runs the server that has every option on a path of its own; if secure, over TLS, as somebody whom nobody knows. */
export async function startTestbed({ secure = false } = {}) {
  const port = await freePort();
  const url = `${secure ? "https" : "http"}://localhost:${port}`;
  const args = ["-listen", `localhost:${port}`, "-bundle", join(root, "web/dist/socket.io"), ...(secure ? ["-tls"] : [])];
  const child = await run(testbed, args, `${url}/engine.io/?EIO=4&transport=polling`);
  return { url, port, stop: () => end(child) };
}

/** noRedis says why tests cannot run that need Redis, or false. */
export const noRedis = process.env.QUN_REQUIRE_ALL !== "1"
  && spawnSync("redis-server", ["--version"]).status !== 0
  && "redis-server is not there: apt-get install redis-server";

/** startRedis runs a Redis that keeps nothing. */
export async function startRedis() {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "qun-redis-"));
  const args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir];
  const child = spawn("redis-server", args.map(String), { stdio: "ignore" });
  for (const end = Date.now() + 20_000; !(await listens(port)); ) {
    if (child.exitCode !== null || Date.now() > end) throw new Error("redis-server does not listen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await end(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); });
    socket.on("error", () => resolve(false));
  });
}

/** startClusterNode runs one of our servers of a cluster, which takes orders as those of cluster.mjs do. */
export async function startClusterNode(redis, wire, name) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["-mode", "cluster", "-redis", redis, "-wire", wire, "-name", name, "-listen", `127.0.0.1:${port}`];
  const child = await run(testbed, args, `${url}/socket.io/?EIO=4&transport=polling`);
  return { url, stop: () => end(child) };
}

/** addMember writes a member into the data folder of a server that is not running. */
async function addMember(data, nickName) {
  await promisify(execFile)("go", ["run", "./test/conformance/member", "-data", data, "-nick", nickName], { cwd: root });
}

async function run(program, args, ready) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const keep = (chunk) => { said = (said + chunk).slice(-4000); };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${said}`);
    if ((await request(ready).catch(() => null))?.status === 200) return child;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGKILL");
  throw new Error(`${program} did not answer ${ready}:\n${said}`);
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await gone;
  clearTimeout(timer);
  if (child.signalCode === "SIGKILL") throw new Error("the server did not end within 15 s of SIGTERM");
}

async function freePort() {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
