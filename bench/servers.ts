import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { JwkSetSchema, TokenService } from "../src/gen/countersign/v1/token_pb.ts";

/** What every server answers: a set of one key. */
const set = create(JwkSetSchema, {
  keys: [
    {
      kty: "EC",
      use: "sig",
      alg: "ES256",
      kid: "k".repeat(43),
      crv: "P-256",
      x: "x".repeat(43),
      y: "y".repeat(43),
    },
  ],
});

/** The servers to compare with, by name. Each prints its port once it listens. */
const servers: Readonly<Record<string, () => Promise<number>>> = {
  "node-http": () => {
    const body = Buffer.from(toJsonString(JwkSetSchema, set));
    const headers = { "content-type": "application/json", "content-length": body.byteLength };
    return listen(createServer((_request, response) => void response.writeHead(200, headers).end(body)));
  },
  "connect-node": () => listen(createServer(connectHandler())),
  "connect-node-h2": () => listen(createHttp2Server(connectHandler())),
  "grpc-js": async () => {
    const definition = loadSync("countersign/v1/token.proto", {
      includeDirs: ["proto", "third_party"].map((folder) => `${import.meta.dirname}/../${folder}`),
    });
    const loaded = loadPackageDefinition(definition) as unknown as {
      countersign: { v1: { TokenService: ServiceClientConstructor } };
    };
    const server = new Server();
    server.addService(loaded.countersign.v1.TokenService.service, {
      getJwks: (_call: unknown, answer: (error: null, message: object) => void) =>
        answer(null, { keys: set.keys }),
    });
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  },
};

function connectHandler() {
  return connectNodeAdapter({
    routes: (router) => void router.service(TokenService, { getJwks: () => set }),
  });
}

function listen(
  server: ReturnType<typeof createServer> | ReturnType<typeof createHttp2Server>,
): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const start = servers[process.argv[2] ?? ""];
if (start === undefined) throw new Error(`name one of ${Object.keys(servers).join(", ")}`);
const port = await start();
process.stdout.write(`${JSON.stringify({ port, bytes: toBinary(JwkSetSchema, set).byteLength })}\n`);
