import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDebianProgram } from "./debian-program.ts";
import { untilUp } from "./eventually.ts";
import { freePort, isOpen } from "./ports.ts";

/** A real reverse proxy in front of one instance of the service, in plain text on loopback. */
export interface TestProxy {
  /** Where it takes HTTP/1.1. */
  readonly http1Url: string;
  /** Where it takes HTTP/2 by prior knowledge, for gRPC. */
  readonly http2Url: string;
  stop(): Promise<void>;
}

/** Starts one. @param port the service's */
export type StartProxy = (port: number) => Promise<TestProxy>;

const startTimeoutMs = 20_000;

/** Debian's nginx: proxy_pass over HTTP/1.1, and grpc_pass. */
export const startNginxProxy: StartProxy = (port) =>
  startProxy("nginx", "nginx-light", (folder, http1, http2) => ({
    args: ["-c", join(folder, "proxy.conf"), "-e", "stderr", "-p", folder, "-g", "daemon off;"],
    config: `worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  # Apart: a kept connection speaks the protocol that it began with.
  upstream http1 { server 127.0.0.1:${port}; keepalive 8; }
  upstream grpc { server 127.0.0.1:${port}; keepalive 8; }
  server { listen 127.0.0.1:${http1}; location / { proxy_pass http://http1; } }
  server { listen 127.0.0.1:${http2} http2; location / { grpc_pass grpc://grpc; } }
}
`,
  }));

/** Debian's haproxy: HTTP/1.1 and HTTP/2 to callers, each passed on as it came. */
export const startHaproxy: StartProxy = (port) =>
  startProxy("haproxy", "haproxy", (folder, http1, http2) => ({
    args: ["-db", "-f", join(folder, "proxy.conf")],
    config: `global
  maxconn 256
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http1
  bind 127.0.0.1:${http1}
  default_backend http1
frontend http2
  bind 127.0.0.1:${http2} proto h2
  default_backend http2
backend http1
  server instance 127.0.0.1:${port}
backend http2
  server instance 127.0.0.1:${port} proto h2
`,
  }));

async function startProxy(
  name: string,
  packageName: string,
  configure: (folder: string, http1: number, http2: number) => { args: string[]; config: string },
): Promise<TestProxy> {
  const program = await findDebianProgram(name, packageName);
  const folder = await mkdtemp(join(tmpdir(), `countersign-test-${name}-`));
  const [http1, http2] = [await freePort(), await freePort()];
  const { args, config } = configure(folder, http1, http2);
  await writeFile(join(folder, "proxy.conf"), config);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
  const exited = once(child, "exit");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  if (!(await opens(child, [http1, http2]))) {
    await stop();
    throw new Error(`${name} did not start:\n${told}`);
  }
  return { http1Url: `http://127.0.0.1:${http1}`, http2Url: `http://127.0.0.1:${http2}`, stop };
}

function opens(child: ChildProcess, ports: readonly number[]): Promise<boolean> {
  const areOpen = async () => (await Promise.all(ports.map(isOpen))).every(Boolean);
  return untilUp(child, areOpen, startTimeoutMs).then(
    () => true,
    () => false,
  );
}
