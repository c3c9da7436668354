import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { printFigures } from "../_harness/figures.ts";
import { runCommand } from "../_harness/service.ts";
import { textOf } from "../_harness/text-of.ts";
import { copyCheckout } from "./copy-checkout.ts";
import { endLeftProcesses, fetchJwks, postgresOf, startProcess } from "./start-process.ts";

// Each test starts the service once or several times, with a PostgreSQL of its own.
const timeoutMs = 60_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-start-"));
  // Others may pass through, as through most folders that hold a project.
  await chmod(folder, 0o711);
});
afterAll(async () => {
  await endLeftProcesses();
  await rm(folder, { recursive: true, force: true });
});

describe("without any configuration", () => {
  const dataDir = () => join(folder, "one");
  const passwordFile = () => join(dataDir(), "bootstrap-password");
  let password = "";
  let userId: unknown;
  let jwks: unknown;

  test(
    "the first start makes a user whose password is in a file that the log names, and in no log",
    async () => {
      const service = await startProcess({ env: { DATA_DIR: dataDir() } });
      await service.ready();
      password = (await readFile(passwordFile(), "utf8")).trimEnd();
      expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
      expect((await stat(passwordFile())).mode & 0o777).toBe(0o600);
      expect((await stat(join(dataDir(), "secret-key"))).mode & 0o777).toBe(0o600);
      expect((await readdir(dataDir())).filter((name) => /bootstrap|secret/.test(name))).toEqual([
        "bootstrap-password",
        "secret-key",
      ]);
      const naming = service.logs().filter(({ file }) => file === passwordFile());
      expect(naming).toMatchObject([{ level: "warn", username: "admin" }]);
      expect(service.logs()).toContainEqual(expect.objectContaining({ msg: "the service is ready" }));
      const { status, json } = await api(service).rest.login({ username: "admin", password });
      expect(status).toBe(200);
      const me = await api(service).rest.me(textOf(json["access_token"]));
      const user = me.json;
      expect(user).toMatchObject({ username: "admin", roles: ["admin"], status: "active" });
      userId = user["id"];
      jwks = await fetchJwks(service.url);
      expect(service.output()).not.toContain(password);
      expect(await service.end("SIGINT")).toBe(0);
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "a restart knows the same user and keys, and makes no new password",
    async () => {
      const service = await startProcess({ env: { DATA_DIR: dataDir() } });
      // How long it takes says more of what else the machine does than of the service: it is told, and decides nothing.
      const readyMs = Math.round(await service.ready());
      printFigures("ready after a restart", { ms: readyMs, "load average": loadavg()[0] ?? 0 });
      expect((await api(service).rest.login({ username: "admin", password })).status).toBe(200);
      expect(await fetchJwks(service.url)).toEqual(jwks);
      expect((await readFile(passwordFile(), "utf8")).trimEnd()).toBe(password);
      expect(service.output()).not.toContain("the first user was made");
      expect(service.logs()).toContainEqual(
        expect.objectContaining({
          level: "warn",
          file: passwordFile(),
          msg: expect.stringContaining("still in this file"),
        }),
      );
      expect(await service.end("SIGTERM")).toBe(0);
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "a service that is killed has lost nothing that it acknowledged",
    async () => {
      const killed = await startProcess({ env: { DATA_DIR: dataDir() } });
      await killed.ready();
      const { json } = await api(killed).rest.login({ username: "admin", password });
      await killed.end("SIGKILL");

      const service = await startProcess({
        env: { DATA_DIR: dataDir(), ISSUER: `http://localhost:${new URL(killed.url).port}` },
      });
      await service.ready();
      expect(await fetchJwks(service.url)).toEqual(jwks);
      const me = await api(service).rest.me(textOf(json["access_token"]));
      expect(me.status).toBe(200);
      expect(me.json).toMatchObject({ id: userId });
      expect((await api(service).rest.login({ username: "admin", password })).status).toBe(200);

      const second = await startProcess({ env: { DATA_DIR: dataDir() } });
      expect(await second.end()).toBe(1);
      expect(second.output()).toContain(
        `The folder ${dataDir()} is in use by another service, process ${service.pid}.`,
      );
      expect(second.output()).not.toMatch(/\n {4}at /);
      expect((await api(service).rest.login({ username: "admin", password })).status).toBe(200);

      const listed = await runCommand(["user", "list", "--json"], service.env);
      expect(JSON.parse(listed.stdout)).toMatchObject({ id: userId });
      const doctor = await runCommand(["doctor", "--json"], service.env);
      expect(doctor.code).toBe(0);
      const { findings } = JSON.parse(doctor.stdout) as { findings: Record<string, unknown>[] };
      expect(findings).toContainEqual({
        status: "ok",
        name: "embedded PostgreSQL",
        found: `it runs, for the service that holds ${dataDir()}`,
        mend: null,
      });
      for (const name of ["database", "schema", "clock", "signing keys", "PORT", "OPS_PORT"]) {
        expect(findings).toContainEqual(expect.objectContaining({ name, status: "ok" }));
      }
      const created = await runCommand(["user", "create", "anna"], service.env, "an unusual password");
      expect(created.code).toBe(0);
      expect(
        (await api(service).rest.login({ username: "anna", password: "an unusual password" })).status,
      ).toBe(200);
      expect(await service.end("SIGTERM")).toBe(0);
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "a command works without a running service, and stops the database that it started",
    async () => {
      const env = { PATH: process.env["PATH"] ?? "", DATA_DIR: dataDir() };
      const { code, stdout } = await runCommand(["user", "list"], env);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^admin /m);
      expect(stdout).toMatch(/^anna /m);
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "a secret key that is not the database's is told of, and so is one that is cut short",
    async () => {
      const other = await startProcess({
        env: { DATA_DIR: dataDir(), SECRET_KEY: "another-secret-key-9876543210-zyxwvuts" },
      });
      expect(await other.end()).toBe(1);
      expect(other.output()).toMatch(/is sealed with a secret that is not in SECRET_KEY \(id [0-9a-f]{8}\)/);
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );

  test(
    "a port in use is told of with the variable to set",
    async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      for (const name of ["PORT", "OPS_PORT"]) {
        const service = await startProcess({ env: { DATA_DIR: dataDir(), [name]: String(port) } });
        expect(await service.end()).toBe(1);
        expect(service.output()).toContain(
          `Port ${port} is in use by another program: set ${name} to a free one`,
        );
      }
      server.close();
      expect(await postgresOf(dataDir())).toEqual([]);
    },
    timeoutMs,
  );
});

describe("a first password from outside", () => {
  test(
    "that will not do ends the start with a sentence, and the next start mends it",
    async () => {
      const dataDir = join(folder, "two");
      const bad = await startProcess({ env: { DATA_DIR: dataDir, BOOTSTRAP_PASSWORD: "short" } });
      expect(await bad.end()).toBe(1);
      expect(bad.output()).toContain(
        "The first user cannot be made: BOOTSTRAP_PASSWORD must be at least 8 characters long.",
      );
      expect(bad.output()).not.toContain("short\n");
      const good = await startProcess({
        env: { DATA_DIR: dataDir, BOOTSTRAP_PASSWORD: "an unusual password" },
      });
      await good.ready();
      expect(
        (await api(good).rest.login({ username: "admin", password: "an unusual password" })).status,
      ).toBe(200);
      expect(await readdir(dataDir)).not.toContain("bootstrap-password");
      expect(good.output()).not.toContain("an unusual password");
      expect(await good.end("SIGTERM")).toBe(0);
    },
    timeoutMs,
  );
});

/** As root, somebody else; otherwise the tests are run by an ordinary user themselves. */
const ordinary = process.geteuid?.() === 0 ? 65_534 : process.geteuid?.();

describe("an ordinary user", () => {
  test(
    "starts it from a checkout that cannot be written to",
    async () => {
      const checkout = await copyCheckout(join(folder, "checkout"));
      const home = join(folder, "home");
      await mkdir(home, { mode: 0o700 });
      await chown(home, ordinary ?? -1, ordinary === 65_534 ? ordinary : -1);
      const service = await startProcess({
        env: { HOME: home, DATA_DIR: join(home, "data") },
        ...(ordinary === 65_534 ? { uid: ordinary } : {}),
        cwd: checkout,
        main: join(checkout, "src", "main.ts"),
      });
      await service.ready();
      const password = (await readFile(join(home, "data", "bootstrap-password"), "utf8")).trimEnd();
      expect((await api(service).rest.login({ username: "admin", password })).status).toBe(200);
      expect((await stat(join(home, "data"))).mode & 0o777).toBe(0o700);
      expect(await service.end("SIGTERM")).toBe(0);
      expect(await postgresOf(join(home, "data"))).toEqual([]);
    },
    timeoutMs,
  );
});
