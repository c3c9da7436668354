import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDebianProgram } from "./debian-program.ts";
import { untilUp } from "./eventually.ts";
import { isOpen } from "./ports.ts";
import { root } from "./service.ts";

/** A real nginx with the example configuration of deploy/nginx. */
export interface TestNginx {
  /** What it has logged as errors so far. */
  errors(): Promise<string>;
  stop(): Promise<void>;
}

/** What of the example is put in place. */
export interface NginxOptions {
  /** The TLS port of 127.0.0.1. */
  readonly port: number;
  /** The ports of the two instances on 127.0.0.1. */
  readonly instances: readonly [number, number];
  readonly certFile: string;
  readonly keyFile: string;
}

const startTimeoutMs = 20_000;

/** Starts it. @throws where nginx is missing, or does not take the configuration */
export async function startNginx(options: NginxOptions): Promise<TestNginx> {
  const program = await findDebianProgram("nginx", "nginx-light");
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-nginx-"));
  const example = await readFile(join(root, "deploy/nginx/countersign.conf"), "utf8");
  const errorLog = join(folder, "error.log");
  await writeFile(join(folder, "nginx.conf"), mainConfig(folder, errorLog, putInPlace(example, options)));
  const args = ["-c", join(folder, "nginx.conf"), "-e", errorLog, "-p", folder, "-g", "daemon off;"];
  const child = spawn(program, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const errors = () => readFile(errorLog, "utf8").catch(() => "");
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  await untilUp(child, () => isOpen(options.port), startTimeoutMs).catch(async () => {
    const told = await errors();
    await stop();
    throw new Error(`nginx did not start:\n${told}`);
  });
  return { errors, stop };
}

/** The example with what every deployment puts into it; each place must be there. */
function putInPlace(example: string, { port, instances, certFile, keyFile }: NginxOptions): string {
  const places = [
    ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
    ["countersign-1.internal:8080", `127.0.0.1:${instances[0]}`],
    ["countersign-2.internal:8080", `127.0.0.1:${instances[1]}`],
    ["/etc/nginx/tls/tls.crt", certFile],
    ["/etc/nginx/tls/tls.key", keyFile],
  ] as const;
  let text = example;
  for (const [place, value] of places) {
    if (!text.includes(place)) throw new Error(`the example of nginx has no "${place}"`);
    text = text.replaceAll(place, value);
  }
  return text;
}

function mainConfig(folder: string, errorLog: string, servers: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join("\n");
  return `worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${errorLog} notice;
events { worker_connections 1024; }
http {
  access_log off;
  # The clients of a test stay on their connections.
  keepalive_requests 1000000;
${temporary}
${servers}
}
`;
}
