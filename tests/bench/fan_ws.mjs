// fan_ws.mjs - a fan-out as one writes it for Node.js with ws: a loop over the clients, as its
// manual shows.
//
// crowd.c says what it may be told. Prints its port, and ends when it is killed.
import { WebSocketServer } from "ws";

const FULL = 1 << 18;
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
let last, burst = 0, turns = 0;

function isFull() {
  for (const client of server.clients) if (client.bufferedAmount > FULL) return true;
  return false;
}

function publish() {
  for (const client of server.clients) {
    if (client.bufferedAmount <= FULL) client.send(last, { binary: false });
  }
}

function turn() {
  if (!isFull()) {
    for (let i = 0; i < burst; i++) publish();
    turns--;
  }
  if (turns > 0) setImmediate(turn);
}

server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (bytes) => {
    if (bytes[0] !== 0x23) {
      last = bytes;
      publish();
      return;
    }
    [burst, turns] = bytes.toString().slice(1).split(" ").map(Number);
    turn();
  });
});
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
