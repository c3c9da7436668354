// The floors: servers that do nothing but answer. Usage: node echo.ts http1|http2|grpc; prints its port as JSON.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** About as large as the answer of an introspection. */
const body = Buffer.from(JSON.stringify({ active: true, scope: "s".repeat(16), jti: "j".repeat(180) }));

const servers: Readonly<Record<string, () => Promise<number>>> = {
  http1: () => {
    const headers = { "content-type": "application/json", "content-length": body.byteLength };
    return listen(
      createServer((request, response) => {
        request.resume();
        request.once("end", () => void response.writeHead(200, headers).end(body));
      }),
    );
  },
  http2: () => {
    const server = createHttp2Server();
    const headers = { ":status": 200, "content-type": "application/grpc" };
    // One empty message: a frame of five bytes.
    const message = Buffer.alloc(5);
    server.on("stream", (stream) => {
      stream.resume();
      stream.once("end", () => {
        stream.respond(headers, { waitForTrailers: true });
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(message);
      });
    });
    return listen(server);
  },
  grpc: () => {
    const root = join(import.meta.dirname, "..", "..");
    const definition = loadSync("countersign/v1/token.proto", {
      includeDirs: [join(root, "proto"), join(root, "third_party")],
    });
    const loaded = loadPackageDefinition(definition) as unknown as {
      countersign: { v1: { TokenService: ServiceClientConstructor } };
    };
    const server = new Server();
    server.addService(loaded.countersign.v1.TokenService.service, {
      introspect: (_call: unknown, answer: (error: null, message: object) => void) =>
        answer(null, { active: true, scope: "s".repeat(16), jti: "j".repeat(180) }),
      getJwks: (_call: unknown, answer: (error: null, message: object) => void) => answer(null, { keys: [] }),
    });
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  },
};

function listen(
  server: ReturnType<typeof createServer> | ReturnType<typeof createHttp2Server>,
): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const start = servers[process.argv[2] ?? ""];
if (start === undefined) throw new Error(`name one of ${Object.keys(servers).join(", ")}`);
process.stdout.write(`${JSON.stringify({ port: await start() })}\n`);
