// A bot that answers "ping" in every group it was added to. It needs Node and `npm install socket.io-client`:
//   QUN_TOKEN=… node bot.mjs http://localhost:3000
import { io } from "socket.io-client";

const socket = io(process.argv[2] ?? "http://localhost:3000", { auth: { token: process.env.QUN_TOKEN } });

socket.on("connect", async () => {
  const hello = await socket.emitWithAck("hello", { protocol: 1 }); // and it is in all of its groups
  if (!hello.ok) throw new Error(hello.error.message);
  console.log(`${hello.me.nickName} listens in ${hello.groups.length} groups`);
});

socket.on("message", async ({ kind, message, groupId, seq, id }) => {
  if (kind !== "text" || message.trim() !== "ping") return;
  const answer = await socket.emitWithAck("sendMessage", { groupId, message: "pong", replyTo: seq, clientId: `pong-${id}` });
  if (!answer.ok) console.error(answer.error.message);
});

socket.on("connect_error", (refused) => console.error(refused.message)); // of a token that is not valid
