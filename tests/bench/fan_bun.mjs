// fan_bun.mjs - a fan-out as one writes it for Bun: its own publish/subscribe, as its manual shows.
//
// crowd.c says what it may be told. Prints its port, and ends when it is killed.
const FULL = 1 << 18;
const LOOKED_AT = 8; // sockets a turn: a look at all of them would cost more than it tells
const sockets = new Set();
let all = [], next = 0, last = "", burst = 0, turns = 0;

function isFull() {
  for (let i = 0; i < Math.min(LOOKED_AT, all.length); i++) {
    if (all[next++ % all.length].getBufferedAmount() > FULL) return true;
  }
  return false;
}

function turn() {
  if (!isFull()) {
    for (let i = 0; i < burst; i++) server.publish("all", last);
    turns--;
  }
  if (turns > 0) setImmediate(turn);
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, it) => it.upgrade(request) ? undefined : new Response("", { status: 426 }),
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    open(socket) {
      socket.subscribe("all");
      sockets.add(socket);
      all = [...sockets];
    },
    close(socket) {
      sockets.delete(socket);
      all = [...sockets];
    },
    message(socket, text) {
      if (!text.startsWith("#")) {
        server.publish("all", last = text);
        return;
      }
      [burst, turns] = text.slice(1).split(" ").map(Number);
      turn();
    },
  },
});
console.log(JSON.stringify({ port: server.port }));
