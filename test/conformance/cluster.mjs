// A Node server of a cluster, with the official adapter. It does what it is ordered to, as ours do (testbed/cluster.go).
import { once } from "node:events";
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const adapters = {
  classic: (pub, sub) => createAdapter(pub, sub),
  private: (pub, sub) => createAdapter(pub, sub, { publishOnSpecificResponseChannel: true }),
  sharded: (pub, sub) => createShardedAdapter(pub, sub),
  static: (pub, sub) => createShardedAdapter(pub, sub, { subscriptionMode: "static" }),
};

/** startNode runs a server in this process. */
export async function startNode(redis, wire, name) {
  const pub = createClient({ url: redis });
  const sub = pub.duplicate();
  await Promise.all([pub.connect(), sub.connect()]);
  const http = createServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  const io = new Server(http, { adapter: adapters[wire](pub, sub) });
  const heard = [];
  for (const namespace of ["/", "/chat"]) serve(io.of(namespace), name, heard);
  io.of(`/orders ${name}`).on("connection", (socket) => {
    socket.on("order", async (order, ack) => {
      try {
        ack(await carryOut(io, heard, order) ?? null);
      } catch (error) {
        ack({ error: String(error) });
      }
    });
  });
  return {
    io,
    url: `http://127.0.0.1:${http.address().port}`,
    stop: async () => {
      await io.close();
      await Promise.allSettled([pub.quit(), sub.quit()]);
    },
  };
}

function serve(namespace, name, heard) {
  namespace.on("connection", (socket) => {
    socket.data.user = name;
    socket.on("join", async (rooms, ack) => { await socket.join(rooms); ack(); });
    socket.on("say", (room, ack) => { socket.to(room).emit("said", room); ack(); });
  });
  namespace.on("hello", (...args) => heard.push(args));
  namespace.on("ping-all", (...args) => args.pop()({ pong: name, args }));
}

async function carryOut(io, heard, o) {
  const n = io.of(o.namespace);
  const values = [...(o.args ?? []), ...(o.binary ? [Buffer.from([0, 1, 2, 255]), { nested: Buffer.from("hi") }] : [])];
  let to = n.to(o.rooms ?? []).except(o.except ?? []);
  if (o.volatile) to = to.volatile;
  if (o.raw) to = to.compress(false);
  switch (o.do) {
    case "emit": to.emit(o.event, ...values); return null;
    case "ask": return to.timeout(3000).emitWithAck(o.event, ...values);
    case "join": to.socketsJoin(o.joins); return null;
    case "leave": to.socketsLeave(o.joins); return null;
    case "disconnect": to.disconnectSockets(!!o.close); return null;
    case "sockets": return (await to.fetchSockets()).map(({ id, handshake, rooms, data }) => ({ id, handshake, rooms: [...rooms], data }));
    case "rooms": return [...await n.adapter.allRooms()];
    case "servers": return n.adapter.serverCount();
    case "server event": n.serverSideEmit(o.event, ...values); return null;
    case "server question": return n.serverSideEmitWithAck(o.event, ...values);
    case "heard": return heard.splice(0);
    default: throw new Error(`no order ${o.do}`);
  }
}
