// A Node server with the official Redis adapter, the official emitter, and two of ours in one cluster: every flow, each direction.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { libraries } from "./client.mjs";
import { startNode } from "./cluster.mjs";
import { noRedis, noTestbed, startClusterNode, startRedis } from "./server.mjs";

const { io } = libraries["4.8.4"];
const names = ["node", "ours1", "ours2"];
const bytes = [Buffer.from([0, 1, 2, 255]), { nested: Buffer.from("hi") }];
const inText = (value) => JSON.parse(JSON.stringify(value, (_, v) => (v?.type === "Buffer" ? Buffer.from(v.data).toString("base64") : v)));

for (const wire of ["classic", "private", "sharded", "static"]) {
  describe(`a cluster, ${wire}`, { skip: noRedis || noTestbed, timeout: 60_000 }, () => {
    let redis, publisher, emitter;
    const servers = {}, clients = {}, chat = {}, orders = {};

    before(async () => {
      redis = await startRedis();
      servers.node = await startNode(redis.url, wire, "node");
      for (const name of names.slice(1)) servers[name] = await startClusterNode(redis.url, wire, name);
      for (const name of names) {
        clients[name] = await client(servers[name].url, "/");
        chat[name] = await client(servers[name].url, "/chat");
        orders[name] = await client(servers[name].url, `/orders ${name}`);
        await clients[name].emitWithAck("join", ["general", `only ${name}`]);
      }
      publisher = createClient({ url: redis.url });
      await publisher.connect();
      emitter = new Emitter(publisher);
      await until(async () => (await order("ours1", { do: "servers" })) === 3, "three servers");
    });

    after(async () => {
      for (const c of [clients, chat, orders].flatMap(Object.values)) c.disconnect();
      await publisher?.quit();
      for (const server of Object.values(servers)) await server.stop();
      await redis?.stop();
    });

    /** order lets a server do something. */
    async function order(name, what) {
      const answer = await orders[name].timeout(10_000).emitWithAck("order", { namespace: "/", ...what });
      assert.ok(!answer?.error, `${name}, ${what.do}: ${answer?.error}`);
      return answer;
    }

    /** heard gives what each client got, when all have got the mark that follows. */
    async function heard(sender, sockets = clients, namespace = "/") {
      const mark = `mark ${Math.random()}`;
      if (sender === "emitter") emitter.of(namespace).emit(mark);
      else await order(sender, { do: "emit", namespace, event: mark });
      const all = {};
      for (const [name, socket] of Object.entries(sockets)) {
        await until(() => socket.heard.some(([event]) => event === mark), `${name} to hear ${sender}`);
        all[name] = socket.heard.splice(0).filter(([event]) => event !== mark);
      }
      return all;
    }

    /** emit sends in the name of a server, or of the emitter. */
    async function emit(sender, { rooms = [], except = [], event, args = [], binary, volatile, raw, namespace = "/" }) {
      if (sender !== "emitter") return order(sender, { do: "emit", namespace, rooms, except, event, args, binary, volatile, raw });
      let to = emitter.of(namespace).in(rooms).except(except);
      if (volatile) to = to.volatile;
      if (raw) to = to.compress(false);
      to.emit(event, ...args, ...(binary ? bytes : []));
    }

    const ids = () => Object.fromEntries(names.map((name) => [name, clients[name].id]));
    const everybody = (...events) => ({ node: events, ours1: events, ours2: events });
    // The emitter speaks classic alone.
    const senders = ["node", "ours1", ...(["classic", "private"].includes(wire) ? ["emitter"] : [])];

    for (const sender of senders) {
      test(`broadcasts of ${sender}`, async () => {
        const text = { nickname: "Zoë 😀", text: "日本語", n: [1, -1, 0, 128, 65536, 4294967296, -129, 1.5, 9007199254740991], t: true, z: null };
        await emit(sender, { event: "flags", rooms: ["general"], volatile: true, raw: true });
        for (const name of names) await until(() => clients[name].heard.length > 0, "a volatile event"); // among others Node may drop it
        await emit(sender, { event: "all", args: ["hello", text] });
        await emit(sender, { event: "room", rooms: ["general"], args: [text] });
        await emit(sender, { event: "one of two", rooms: ["only node", "only ours1"] });
        await emit(sender, { event: "here", rooms: ["only ours2"] });
        await emit(sender, { event: "there", rooms: ["only node"] });
        await emit(sender, { event: "except", rooms: ["general"], except: ["only ours1"] });
        await emit(sender, { event: "not one", except: [ids().node] });
        await emit(sender, { event: "one", rooms: [ids().ours2], args: [1] });
        await emit(sender, { event: "one", rooms: [ids().node], args: [2] });
        await emit(sender, { event: "bytes", rooms: ["general"], args: ["bin.dat"], binary: true });
        await emit(sender, { event: "bytes to all", binary: true });
        const common = { all: ["all", "hello", text], room: ["room", text], flags: ["flags"], file: ["bytes", "bin.dat", ...bytes], files: ["bytes to all", ...bytes] };
        assert.deepEqual(await heard(sender), {
          node: [common.flags, common.all, common.room, ["one of two"], ["there"], ["except"], ["one", 2], common.file, common.files],
          ours1: [common.flags, common.all, common.room, ["one of two"], ["not one"], common.file, common.files],
          ours2: [common.flags, common.all, common.room, ["here"], ["except"], ["not one"], ["one", 1], common.file, common.files],
        });
      });

      test(`broadcasts of ${sender} in another namespace`, async () => {
        await emit(sender, { namespace: "/chat", event: "ns", args: ["hello"] });
        assert.deepEqual(await heard(sender, chat, "/chat"), everybody(["ns", "hello"]));
        assert.deepEqual(await heard(sender), everybody());
      });

      test(`joins and leaves by ${sender}`, async () => {
        const move = (joins, leaves) => sender === "emitter"
          ? (joins && emitter.in("general").except("only ours2").socketsJoin(joins), leaves && emitter.in("general").socketsLeave(leaves))
          : order(sender, { do: joins ? "join" : "leave", rooms: ["general"], except: joins ? ["only ours2"] : [], joins: joins ?? leaves });
        await move(["new", "newer"]);
        await emit(sender, { event: "joined", rooms: ["new"] });
        await until(async () => (await order("ours2", { do: "sockets", rooms: ["new"] })).length === 2, "both to have joined");
        await until(async () => { // a server of ours hears of a room from when Redis has its subscription
          await emit(sender, { event: "joined", rooms: ["newer"] });
          return ["node", "ours1"].every((name) => clients[name].heard.some(([event]) => event === "joined"));
        }, "both to be reached where they are");
        await move(null, ["new"]);
        await until(async () => (await order("ours2", { do: "sockets", rooms: ["new"] })).length === 0, "both to have left");
        await emit(sender, { event: "left", rooms: ["new"] });
        await move(null, ["newer"]);
        const got = await heard(sender);
        assert.deepEqual(got.ours2, []);
        for (const name of ["node", "ours1"]) {
          assert.deepEqual(got[name].filter(([event]) => event === "left"), [], name);
          assert.ok(got[name].length >= 1 && got[name].every(([event]) => event === "joined"), `${name} got ${JSON.stringify(got[name])}`);
        }
      });

      test(`events for servers of ${sender}`, async () => {
        for (const name of names) await order(name, { do: "heard" });
        const args = ["world", 42, { deep: ["x"] }];
        if (sender === "emitter") emitter.serverSideEmit("hello", ...args);
        else await order(sender, { do: "server event", event: "hello", args });
        if (sender !== "emitter") await order(sender, { do: "server event", event: "hello", binary: true });
        for (const name of names.filter((name) => name !== sender)) {
          const got = [];
          await until(async () => got.push(...await order(name, { do: "heard" })) >= (sender === "emitter" ? 1 : 2), `${name} to hear of it`);
          assert.deepEqual(got[0], args);
          if (got.length > 1) assert.deepEqual(inText(got[1]), inText(bytes), name);
        }
        if (sender !== "emitter") assert.deepEqual(await order(sender, { do: "heard" }), []);
      });

      test(`disconnects by ${sender}`, async () => {
        for (const close of [false, true]) {
          const victims = {}, neighbours = {};
          for (const name of names) {
            victims[name] = await client(servers[name].url, "/");
            neighbours[name] = victims[name].io.socket("/chat");
            await until(() => neighbours[name].connected, "the other namespace");
            await victims[name].emitWithAck("join", ["doomed"]);
          }
          if (sender === "emitter") emitter.in("doomed").disconnectSockets(close);
          else await order(sender, { do: "disconnect", rooms: ["doomed"], close });
          for (const name of names) {
            await until(() => !victims[name].connected, `${name} to disconnect`);
            if (close) await until(() => !neighbours[name].connected, `${name} to close the connection`);
            else assert.ok(neighbours[name].connected, `${name} closed the connection`);
            neighbours[name].disconnect();
          }
          assert.ok(names.every((name) => clients[name].connected));
        }
      });
    }

    for (const sender of ["node", "ours1"]) {
      const others = names.filter((name) => name !== sender);

      test(`sockets, rooms and servers as ${sender} sees them`, async () => {
        const sockets = await order(sender, { do: "sockets", rooms: ["general"] });
        assert.deepEqual(Object.fromEntries(sockets.map((s) => [s.data.user, s.id])), ids());
        for (const s of sockets) {
          assert.deepEqual([...s.rooms].sort(), [s.id, "general", `only ${s.data.user}`].sort());
          assert.equal(s.handshake.query.EIO, "4");
          if (s.data.user.startsWith("ours") && s.data.user !== sender) {
            assert.deepEqual([s.handshake.headers, s.handshake.auth], [{}, {}], "a secret left its server");
          }
        }
        assert.equal((await order(sender, { do: "sockets", rooms: ["nobody"] })).length, 0);
        assert.equal(await order(sender, { do: "servers" }), 3);
        if (["classic", "private"].includes(wire)) {
          const rooms = await order(sender, { do: "rooms" });
          assert.deepEqual([...rooms].sort(), ["general", ...names.flatMap((name) => [`only ${name}`, ids()[name]])].sort());
        }
      });

      test(`${sender} asks the others' sockets`, async () => {
        const answer = (value) => names.forEach((name) => { clients[name].answer = (args) => value(name, args); });
        answer((name, args) => ({ from: name, args }));
        const got = await order(sender, { do: "ask", event: "ask", rooms: ["general"], args: ["q"] });
        assert.deepEqual(got.map((a) => a.from).sort(), [...names].sort());
        assert.ok(got.every((a) => a.args[0] === "q"));
        answer((name) => Buffer.from(name));
        const binary = await order(sender, { do: "ask", event: "ask", rooms: ["general"], binary: true });
        assert.deepEqual(binary.map((b) => (Buffer.isBuffer(b) ? b.toString() : Buffer.from(b, "base64").toString())).sort(), [...names].sort());
        assert.deepEqual(await order(sender, { do: "ask", event: "ask", rooms: [ids()[others[0]]] }).then((a) => a.length), 1);
        assert.deepEqual(await order(sender, { do: "ask", event: "ask", rooms: ["nobody"] }), []);
        for (const got of Object.values(await heard(sender))) assert.ok(got.every(([event]) => event === "ask"));
      });

      test(`${sender} asks the other servers`, async () => {
        const got = await order(sender, { do: "server question", event: "ping-all", args: ["x", 1] });
        assert.deepEqual(got.map((a) => a.pong).sort(), [...others].sort());
        assert.ok(got.every((a) => a.args[0] === "x" && a.args[1] === 1));
      });

      test(`a socket of ${sender} talks to the others in its room`, async () => {
        await clients[sender].emitWithAck("say", "general");
        const got = await heard(sender);
        assert.deepEqual(got, { ...everybody(["said", "general"]), [sender]: [] });
      });
    }
  });
}

/** client connects and notes what it hears; an event with an ack is answered by answer. */
async function client(url, namespace) {
  const socket = io(`${url}${namespace}`, { transports: ["websocket"], forceNew: true, reconnection: false });
  socket.heard = [];
  socket.onAny((event, ...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : null;
    socket.heard.push([event, ...args]);
    ack?.(socket.answer?.(args));
  });
  await until(() => socket.connected, `a connection to ${namespace}`);
  return socket;
}

async function until(ok, what) {
  for (const end = Date.now() + 10_000; !(await ok()); ) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
