import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { connect, constants, type ClientHttp2Session } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LoginRequestSchema, TokenResponseSchema } from "../../src/gen/countersign/v1/auth_pb.ts";
import { eventually } from "../_harness/eventually.ts";
import { printFigures, sizeOf } from "../_harness/figures.ts";
import { startNginx, type TestNginx } from "../_harness/nginx.ts";
import { freePort } from "../_harness/ports.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { makeCertificates, type TestCertificates } from "../http/certificates.ts";

const rounds = sizeOf(1, 20);
const callersPerProtocol = sizeOf(3, 8);
// A start takes long on a machine that is busy with more.
const timeoutMs = sizeOf(600_000, 1_800_000);
const takenBackMs = 120_000;

let database: Awaited<ReturnType<typeof createSharedDatabase>>;
let certificates: TestCertificates;
let ports: [number, number];
let instances: [TestService, TestService];
let nginx: TestNginx;
let frontPort: number;

function startInstance(port: number): Promise<TestService> {
  const env = {
    DATABASE_URL: database.url,
    ISSUER: "https://localhost",
    PORT: String(port),
    MAX_SESSIONS_PER_USER: "10000",
    DATABASE_TIMEOUT: "30s",
    REQUEST_TIMEOUT: "60s",
  };
  return startService({ env });
}

beforeAll(async () => {
  database = await createSharedDatabase();
  certificates = await makeCertificates("localhost");
  ports = [await freePort(), await freePort()];
  instances = [await startInstance(ports[0]), await startInstance(ports[1])];
  frontPort = await freePort();
  const { certFile, keyFile } = certificates;
  nginx = await startNginx({ port: frontPort, instances: ports, certFile, keyFile });
}, 240_000);
afterAll(async () => {
  await nginx.stop();
  await Promise.all(instances.map((instance) => instance.stop()));
  await certificates.remove();
  await database.drop();
});

/** A login, by whichever protocol: what went wrong, or null. */
type Call = () => Promise<string | null>;

function loginForm(): string {
  return new URLSearchParams(instances[0].admin).toString();
}

const form = { "content-type": "application/x-www-form-urlencoded" };

function overHttp1(agent: Agent, ca: Buffer): Call {
  return () =>
    new Promise((resolve) => {
      const options = { agent, ca, host: "localhost", port: frontPort, path: "/auth/login", headers: form };
      const call = request({ ...options, method: "POST" }, (response) => {
        response.resume();
        response.once("end", () =>
          resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`),
        );
        response.once("error", (error) => resolve(error.message));
      });
      call.once("error", (error) => resolve(error.message)).end(loginForm());
    });
}

function overHttp2(session: ClientHttp2Session): Call {
  return () =>
    new Promise((resolve) => {
      const stream = session.request({ ":method": "POST", ":path": "/auth/login", ...form });
      let status = 0;
      stream.once("response", (headers) => (status = headers[":status"] ?? 0));
      stream.once("error", (error: Error) => resolve(error.message));
      stream.once("close", () => {
        const isWhole = status === 200 && stream.rstCode === constants.NGHTTP2_NO_ERROR;
        resolve(isWhole ? null : `status ${status}, code ${stream.rstCode}`);
      });
      stream.resume().end(loginForm());
    });
}

function overGrpc(client: Client): Call {
  const bytes = Buffer.from(toBinary(LoginRequestSchema, create(LoginRequestSchema, instances[0].admin)));
  const same = (value: Buffer): Buffer => value;
  return () =>
    new Promise((resolve) => {
      client.makeUnaryRequest("/countersign.v1.AuthService/Login", same, same, bytes, (error, answer) => {
        if (error !== null) return resolve(`code ${error.code}: ${error.details}`);
        const { accessToken } = fromBinary(TokenResponseSchema, answer ?? Buffer.alloc(0));
        return resolve(accessToken === "" ? "no token" : null);
      });
    });
}

/** A rolling deployment goes on when what it has restarted takes requests again: by each of nginx's two upstreams. */
async function untilItServes(instance: TestService | undefined): Promise<void> {
  const served = (name: string) =>
    instance?.logs().filter(({ protocol, status }) => protocol === name && status === 200).length ?? 0;
  await eventually(() => Math.min(served("rest"), served("grpc")) >= 10, takenBackMs, 100);
}

test(
  "two instances behind nginx are restarted in turn under load, and no request fails over HTTP/1.1, HTTP/2 or gRPC",
  async () => {
    const ca = await readFile(certificates.certFile);
    const agent = new Agent({ keepAlive: true, maxSockets: callersPerProtocol });
    const session = connect(`https://localhost:${frontPort}`, { ca });
    const grpc = new Client(`localhost:${frontPort}`, credentials.createSsl(ca));
    const protocols = {
      "HTTP/1.1": overHttp1(agent, ca),
      "HTTP/2": overHttp2(session),
      gRPC: overGrpc(grpc),
    };
    const answered: Record<string, number> = { "HTTP/1.1": 0, "HTTP/2": 0, gRPC: 0 };
    const failures: string[] = [];
    const restarting = new AbortController();

    const load = Object.entries(protocols).flatMap(([name, call]) =>
      Array.from({ length: callersPerProtocol }, async () => {
        while (!restarting.signal.aborted) {
          const failure = await call();
          if (failure === null) answered[name] = (answered[name] ?? 0) + 1;
          else failures.push(`${name}: ${failure}`);
          // sleep: now and then the connections lie idle.
          await sleep(Math.random() * 40);
        }
      }),
    );
    const codes: (number | null)[] = [];
    try {
      for (let restart = 0; restart < 2 * rounds; restart += 1) {
        const index = restart % 2 === 0 ? 0 : 1;
        await untilItServes(instances[1 - index]);
        const before = instances[index];
        codes.push(await before.end("SIGTERM"));
        await before.stop();
        instances[index] = await startInstance(ports[index]);
      }
      await untilItServes(instances[1]);
    } finally {
      restarting.abort();
      await Promise.all(load);
      agent.destroy();
      session.destroy();
      grpc.close();
    }

    printFigures("rolling restarts", { restarts: codes.length, ...answered, failed: failures.length });
    expect({ failures, errors: failures.length === 0 ? "" : await nginx.errors() }).toEqual({
      failures: [],
      errors: "",
    });
    expect(codes).toEqual(codes.map(() => 0));
    for (const count of Object.values(answered)) expect(count).toBeGreaterThan(20);
  },
  timeoutMs,
);
