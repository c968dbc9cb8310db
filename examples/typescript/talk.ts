// A full client in TypeScript: it enters a room, says something, and shows what it hears there until somebody says "bye".
import { io, type Socket } from "socket.io-client";
import type { Answer, ClientToServer, GroupID, Message, Seq, ServerToClient } from "./client.js";

const [url = "http://localhost:3000", roomName = "大厅", text = "hello"] = process.argv.slice(2);
const socket: Socket<ServerToClient, ClientToServer> = io(url);
const heads = new Map<GroupID, Seq>();

/** granted is what an answer says, unless it is a refusal. */
function granted<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer;
}

function show(m: Message): void {
  heads.set(m.groupId ?? "", Math.max(heads.get(m.groupId ?? "") ?? 0, m.seq ?? 0));
  console.log(m.recalledAt ? `${m.nickName} took #${m.seq} back` : `${m.nickName}: ${m.message}`);
  if (m.kind === "text" && m.message === "bye") socket.disconnect();
}

socket.on("message", (m) => {
  if ("id" in m) show(m); // a notice has none, and full clients get none
});

socket.on("change", ({ groupId, head, message, member }) => {
  heads.set(groupId, head);
  if (message) show(message);
  if (member && member.state !== "active") console.log(`${member.nickName} is out: ${member.state}`);
});

socket.on("connect", async () => {
  const hello = granted(await socket.emitWithAck("hello", { protocol: 1, locale: "en" }));
  console.log(`server ${hello.build}, messages of up to ${hello.limits.messageLength} characters`);
  const entered = granted(await socket.emitWithAck("joinRoom", { roomName, nickName: "TypeScript" }));
  if ("pending" in entered) return console.log(`${entered.group.name}: somebody has to let me in`);
  heads.set(entered.group.groupId, entered.head);
  const sent = granted(
    await socket.emitWithAck("sendMessage", { groupId: entered.group.groupId, message: text, clientId: crypto.randomUUID() }),
  );
  console.log(`#${sent.message.seq} is on disk`);
});
