import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { credentials, makeClientConstructor, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startService, type TestService } from "../_harness/service.ts";
import { eventually } from "../_harness/eventually.ts";
import { collect, request, sendRaw } from "../security/raw-http1.ts";
import { preface } from "../security/raw-http2.ts";
import { http2Request, loginPath, protobuf } from "../security/rpc-calls.ts";
import { loginForm } from "../security/unharmed.ts";
import { makeCertificates, type TestCertificates } from "./certificates.ts";

let certificates: TestCertificates;
let service: TestService;
beforeAll(async () => {
  certificates = await makeCertificates("first");
  const { certFile, keyFile } = certificates;
  service = await startService({
    env: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, HEADER_TIMEOUT: "1s", BODY_TIMEOUT: "500ms" },
  });
});
afterAll(async () => {
  await service.stop();
  await certificates.remove();
});

const form = "application/x-www-form-urlencoded";

async function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: service.port,
    host: "127.0.0.1",
    ca: await certificates.current(),
    ...options,
  });
  await once(socket, "secureConnect");
  return socket;
}

async function commonName(): Promise<unknown> {
  const socket = await open({ rejectUnauthorized: false });
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return name;
}

test("HTTP/1.1 and HTTP/2 share the port, chosen by ALPN", async () => {
  const chosen = async (ALPNProtocols: string[]): Promise<string | false | null> => {
    const socket = await open({ ALPNProtocols });
    socket.destroy();
    return socket.alpnProtocol;
  };
  expect(await chosen(["h2", "http/1.1"])).toBe("h2");
  expect(await chosen(["http/1.1"])).toBe("http/1.1");
  const socket = await open({ ALPNProtocols: ["http/1.1"] });
  socket.write(request("POST /auth/login", [`Content-Type: ${form}`], loginForm(service)));
  expect((await collect(socket, 5_000, 1)).answers[0]?.status).toBe(200);
  const session = connectHttp2(service.url, { ca: await certificates.current() });
  const headers = { ":method": "POST", ":path": "/auth/login", "content-type": form };
  expect((await http2Request(session, headers, Buffer.from(loginForm(service)))).headers[":status"]).toBe(
    200,
  );
  session.destroy();
});

test("a client that offers no ALPN is served HTTP/1.1", async () => {
  const socket = await open();
  socket.write(request("GET /livez"));
  expect((await collect(socket, 5_000, 1)).answers[0]?.status).toBe(200);
});

test("gRPC works over TLS with grpc-js", async () => {
  const identity = (bytes: Buffer): Buffer => bytes;
  const login = {
    path: loginPath,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  const Client = makeClientConstructor({ login }, "AuthService");
  const client = new Client(`localhost:${service.port}`, credentials.createSsl(await certificates.current()));
  const message = protobuf([
    [2, service.admin.username],
    [3, service.admin.password],
  ]);
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const call = client["login"] as (
      message: Buffer,
      done: (error: ServiceError | null, answer: Buffer) => void,
    ) => void;
    call.call(client, message, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
  expect(answer.toString("latin1")).toContain("csr_");
  client.close();
});

describe("what is no TLS, or stops halfway, is closed", () => {
  test.each([
    ["plain HTTP/1.1", [request("GET /livez")]],
    ["plain HTTP/2", [preface]],
    ["bytes without meaning", [Buffer.alloc(300, 0xa5)]],
    ["half of a ClientHello", [Buffer.from("16030100f8010000f40303", "hex")]],
    ["nothing", []],
  ])("%s", async (_, parts) => {
    const { answers, end, tookMs } = await sendRaw(service.port, parts, { answers: 0 });
    expect(answers).toEqual([]);
    expect(end).not.toBe("open");
    expect(tookMs).toBeLessThan(3_000);
  });

  test("a TLS connection on which no request comes", async () => {
    for (const ALPNProtocols of [["h2"], ["http/1.1"]]) {
      const socket = await open({ ALPNProtocols });
      expect((await collect(socket, 5_000, 0)).end).not.toBe("open");
    }
  });

  test("an old version of TLS", async () => {
    const socket = connect({
      port: service.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "ALL@SECLEVEL=0",
    });
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/^(ERR_SSL_|ECONNRESET)/);
  });
});

describe("TLS 1.2", () => {
  const only = { maxVersion: "TLSv1.2" } as const;

  test.each(["AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256"])(
    "refuses %s, which lacks forward secrecy or authenticated encryption",
    async (ciphers) => {
      await expect(open({ ...only, ciphers: `${ciphers}:@SECLEVEL=0` })).rejects.toThrow(/handshake|alert/i);
    },
  );

  test("has forward secrecy, and cannot be renegotiated", async () => {
    const socket = await open(only);
    expect(socket.getCipher().name).toMatch(/^ECDHE-.*(GCM|POLY1305)/);
    socket.on("error", () => undefined);
    const renegotiated = new Promise<Error | null>((resolve) => {
      socket.once("close", () => resolve(new Error("closed")));
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(await renegotiated).not.toBeNull();
    socket.destroy();
  });
});

test("a swapped certificate is used for new connections, and a broken one is refused while the old one stays", async () => {
  const errors = (): unknown[] => service.logs().filter(({ level }) => level === "error");
  const before = await open();
  before.write(request("GET /livez"));
  await once(before, "data");
  expect(await commonName()).toBe("first");
  await certificates.swap("second");
  await until(async () => (await commonName()) === "second");
  // A connection from before goes on.
  before.write(request("GET /livez"));
  expect((await collect(before, 5_000, 1)).answers[0]?.status).toBe(200);
  const known = errors().length;
  await certificates.spoil();
  await until(() => Promise.resolve(errors().length > known));
  expect(errors().at(-1)).toMatchObject({
    msg: "the new TLS certificate cannot be used; the old one stays in use",
  });
  expect(await commonName()).toBe("second");
  await certificates.swap("third");
  await until(async () => (await commonName()) === "third");
});

test("a stream that is opened on an idle TLS connection as the service drains is served, as the last", async () => {
  const { certFile, keyFile } = certificates;
  const draining = await startService({ env: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } });
  try {
    const session = connectHttp2(draining.url, { ca: await certificates.current() });
    await http2Request(session, { ":path": "/livez" });
    const goaways: unknown[] = [];
    session.on("goaway", (...goaway: unknown[]) => goaways.push(goaway.slice(0, 2)));
    const roused = once(session, "ping");
    const ended = draining.end("SIGTERM");
    await roused;
    expect((await http2Request(session, { ":path": "/livez" })).headers[":status"]).toBe(200);
    expect(await ended).toBe(0);
    expect(goaways[0]).toEqual([0, 3]);
  } finally {
    await draining.stop();
  }
});

test("idle TLS connections of every kind hold no stop up", async () => {
  const sockets = [await open({ ALPNProtocols: ["h2"] }), await open({ ALPNProtocols: ["http/1.1"] })];
  const half = connectTcp(service.port, "127.0.0.1").on("error", () => undefined);
  half.write(Buffer.from("16030100f8010000f40303", "hex"));
  for (const socket of sockets) socket.on("error", () => undefined);
  const startedAt = performance.now();
  expect(await service.end("SIGTERM")).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  await eventually(() => service.output().includes("the service has stopped"));
  for (const socket of [...sockets, half]) socket.destroy();
});

/** The files are looked at every 5 s. */
const until = (condition: () => Promise<boolean>): Promise<void> => eventually(condition, 12_000, 200);
