// The reference: the server that seed pages were written against, on Node's own socket.io. What it sends is what a page
// expects to get.
import { createServer } from "node:http";
import { Server } from "socket.io";

/** startReference serves the seed's two events on a free port of loopback. */
export async function startReference() {
  const http = createServer();
  const io = new Server(http, { cors: { origin: "*" } });
  io.on("connection", (socket) => {
    socket.on("joinRoom", ({ roomName, nickName }) => {
      socket.join(roomName);
      io.to(roomName).emit("message", { nickName, message: `${nickName} 加入了 ${roomName} 房间` });
    });
    socket.on("sendMessage", ({ room, nickName, message }) => {
      io.to(room).emit("message", { nickName, message });
    });
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${http.address().port}`,
    stop: () => new Promise((resolve) => io.close(() => resolve())),
  };
}
