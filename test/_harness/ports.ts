import { once } from "node:events";
import { connect, createServer } from "node:net";

// Below the ports that the kernel gives to outgoing connections: one of these cannot take a port while its service is
// down for a moment. Each worker of jest has its own part.
const first = 10_240;
const size = 2_048;
const workers = 10;
const worker = Number(process.env["JEST_WORKER_ID"] ?? 0) % workers;
let turn = Math.floor(Math.random() * size);

/** A port of the loopback interface that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < size; attempt += 1) {
    turn = (turn + 1) % size;
    const port = first + worker * size + turn;
    if (await canListen(port)) return port;
  }
  throw new Error("No port is free.");
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}

/** Whether somebody listens on a port of the loopback interface. */
export async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const answer = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
  socket.destroy();
  return answer;
}
