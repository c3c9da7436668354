import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy that lets requests through and can lose their answers. */
export interface CuttingProxy {
  readonly url: string;
  /** While true, a connection ends at the first byte of an answer, and none of it arrives. */
  isCutting: boolean;
  /** How many answers were lost so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** Starts a proxy before a port of the loopback interface. */
export async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Either side's end is the other's.
      socket
        .on("error", () => undefined)
        .on("close", () => {
          client.destroy();
          upstream.destroy();
          sockets.delete(socket);
        });
    }
    client.on("data", (chunk) => upstream.write(chunk));
    upstream.on("data", (chunk) => {
      if (!proxy.isCutting) {
        client.write(chunk);
        return;
      }
      cuts += 1;
      client.resetAndDestroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port.");
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${address.port}`,
    isCutting: false,
    get cuts() {
      return cuts;
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, "close");
    },
  };
  return proxy;
}
