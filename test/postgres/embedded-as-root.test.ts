import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { checkServerUser } from "../../src/cli/doctor/check-server-user.ts";
import { canTraverse } from "../../src/postgres/embedded/home.ts";
import { findIdentity, isRoot } from "../../src/postgres/embedded/identity.ts";
import { removeFolder } from "../../src/postgres/embedded/remove-folder.ts";
import { startEmbeddedPostgres } from "../../src/postgres/embedded/start-embedded-postgres.ts";
import { look } from "../cli/diagnose.ts";
import { type Holder, type HolderOptions, startHolder } from "./holder.ts";

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const nobody = { uid: 65_534, gid: 65_534 };
const canUnshare = isRoot() && spawnSync("unshare", ["--mount", "true"]).status === 0;
const hasSetpriv = spawnSync("setpriv", ["--version"]).status === 0;
/** Below a folder that nobody else can enter, another user could not even read the program. */
const canEnterCheckout = isRoot() && (await canTraverse(import.meta.dirname, { ...nobody, switchTo: {} }));

let root: string;
/** One cluster goes through most of the tests, since making one takes a while. */
let dataDir: string;
let starts = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "countersign-as-root-"));
  await chmod(root, 0o711);
  dataDir = join(root, "data-dir");
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Starts a service on the cluster, which still knows how often that was done. */
async function start(options: HolderOptions = {}): Promise<Holder> {
  const holder = await startHolder(dataDir, options);
  starts += 1;
  if (holder.starts !== starts) {
    throw new Error(`The cluster knows of ${holder.starts} starts, not of ${starts}.`);
  }
  return holder;
}

async function startAndStop(options: HolderOptions = {}): Promise<void> {
  await (await start(options)).end("SIGTERM");
}

/** As versions did that ran the server as `nobody`. */
async function giveToNobody(): Promise<void> {
  for (const folder of [dataDir, join(dataDir, "postgres")]) await chown(folder, 0, nobody.gid);
  execFileSync("chown", ["-R", `${nobody.uid}:${nobody.gid}`, join(dataDir, "postgres", "data")]);
}

const clusterUser = () => look(checkServerUser, { DATA_DIR: dataDir });
const status = (pid: number): string => readFileSync(`/proc/${pid}/status`, "utf8");
const isAlive = (pid: number): boolean => spawnSync("kill", ["-0", String(pid)]).status === 0;
const describeIf = (condition: boolean) => (condition ? describe : describe.skip);

describeIf(isRoot())("started by root,", () => {
  test("the server runs under an account that runs nothing else, and owns its files alone", async () => {
    const { uid, gid } = await findIdentity("");
    const holder = await start();
    expect([0, nobody.uid]).not.toContain(uid);
    expect(execFileSync("getent", ["passwd", String(uid)], { encoding: "utf8" })).toMatch(
      /^countersign-postgres:.*:\/usr\/sbin\/nologin$/m,
    );
    expect(status(holder.postgres)).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, "m"));
    expect(status(holder.postgres)).toMatch(/^Groups:\t *$/m);
    const owner = (path: string) => statSync(join(dataDir, path)).uid;
    expect(["postgres/data", "postgres/run", "postgres", "."].map(owner)).toEqual([uid, uid, 0, 0]);
    expect(statSync(dataDir).gid).toBe(gid);
    await holder.end("SIGTERM");
    expect(await clusterUser()).toMatchObject([
      { status: "ok", found: expect.stringContaining(String(uid)) },
    ]);
  });

  test("a cluster of nobody's gets a user of its own, and root follows no link in it", async () => {
    const data = join(dataDir, "postgres", "data");
    const secret = join(root, "secret");
    await writeFile(secret, "of root alone", { mode: 0o600 });
    await symlink(secret, join(data, "pg_stat_tmp", "link"));
    await giveToNobody();
    expect(await clusterUser()).toMatchObject([
      { status: "warn", found: expect.stringContaining("belongs to nobody (65534)") },
    ]);
    const { ino } = statSync(join(data, "PG_VERSION"));
    await startAndStop();
    expect(statSync(data).uid).toBe((await findIdentity("")).uid);
    // Who holds a file of the old one open has nothing to do with the new one.
    expect(statSync(join(data, "PG_VERSION")).ino).not.toBe(ino);
    expect(existsSync(join(dataDir, "postgres", "former-data"))).toBe(false);
    const kept = { uid: statSync(secret).uid, text: readFileSync(secret, "utf8") };
    expect(kept).toEqual({ uid: 0, text: "of root alone" });
  });

  test("a kill while a cluster changes hands loses nothing", async () => {
    await giveToNobody();
    await rename(join(dataDir, "postgres", "data"), join(dataDir, "postgres", "former-data"));
    await startAndStop();
    expect(existsSync(join(dataDir, "postgres", "former-data"))).toBe(false);
  });

  test("of a folder of the server's user root removes only what that user could remove", async () => {
    const { uid, gid } = await findIdentity("");
    const folder = join(root, "run");
    await mkdir(join(folder, "of-root"), { recursive: true });
    await writeFile(join(folder, "of-root", "file"), "");
    await writeFile(join(folder, "own"), "");
    await chown(folder, uid, gid);
    await expect(removeFolder(folder, gid)).rejects.toThrow("ENOTEMPTY");
    expect(existsSync(join(folder, "of-root", "file"))).toBe(true);
    expect(existsSync(join(folder, "own"))).toBe(false);
    await rm(join(folder, "of-root"), { recursive: true });
    await removeFolder(folder, gid);
    expect(existsSync(folder)).toBe(false);
  });

  test("root works in no DATA_DIR that another user could swap, and says whose it is", async () => {
    const other = join(root, "of-another");
    await mkdir(other, { mode: 0o755 });
    await chown(other, nobody.uid, nobody.gid);
    const complaint = `The folder ${other} belongs to the user ${nobody.uid}, who could swap what root writes there`;
    await expect(startEmbeddedPostgres({ dataDir: other, log })).rejects.toThrow(
      `${complaint}: start as that user, or give it to root (chown -R root:root ${other}).`,
    );
    expect(await look(checkServerUser, { DATA_DIR: other })).toMatchObject([
      { status: "fail", found: complaint },
    ]);
    await chown(other, 0, 0);
    await chmod(other, 0o777);
    await expect(startEmbeddedPostgres({ dataDir: other, log })).rejects.toThrow(
      "can be written to by others",
    );
  });

  describeIf(canEnterCheckout)("with a checkout that all can enter,", () => {
    test("an ordinary user's database is opened by root once it is given to root", async () => {
      const given = join(root, "given");
      await mkdir(given, { mode: 0o755 });
      await chown(given, nobody.uid, nobody.gid);
      const first = await startHolder(given, { user: nobody });
      await first.end("SIGTERM");
      expect(statSync(join(given, "postgres", "data")).uid).toBe(nobody.uid);
      execFileSync("chown", ["-R", "root:root", given]);
      const second = await startHolder(given);
      await second.end("SIGTERM");
      expect(second.starts).toBe(2);
    });
  });

  test("a bystander whose command line names the cluster is left alone", async () => {
    const killed = await start();
    const { dev, ino } = statSync(join(dataDir, "postgres"), { bigint: true });
    const { uid, gid } = await findIdentity("");
    const name = `countersign-${dev.toString(16)}-${ino.toString(16)}-end`;
    // The same words, the same user, the same folder: but another program.
    const argv0 = `postgres -D ${dataDir} -c cluster_name=${name}`;
    const cwd = join(dataDir, "postgres", "data");
    const bystander = spawn("sleep", ["300"], { argv0, uid, gid, cwd });
    try {
      await killed.end("SIGKILL");
      await startAndStop();
      expect(isAlive(bystander.pid ?? -1)).toBe(true);
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    } finally {
      bystander.kill("SIGKILL");
      if (bystander.exitCode === null && bystander.signalCode === null) await once(bystander, "exit");
    }
  });

  describeIf(hasSetpriv)("with few rights,", () => {
    test("the server that was left is found without the right to look at other users' processes", async () => {
      const killed = await start();
      await killed.end("SIGKILL");
      const caps = "-sys_ptrace,-sys_admin";
      const next = await start({ under: ["setpriv", `--bounding-set=${caps}`, `--inh-caps=${caps}`] });
      await next.end("SIGTERM");
      expect(next.postgres).not.toBe(killed.postgres);
    });
  });

  describeIf(canUnshare)("with accounts of its own,", () => {
    test("where /etc cannot be written to, a cluster that is there starts, and a new one says what to do", async () => {
      const passwd = join(root, "passwd");
      const lines = readFileSync("/etc/passwd", "utf8").split("\n");
      const others = lines.filter((line) => !line.startsWith("countersign-postgres:"));
      await writeFile(passwd, others.join("\n"));
      const steps = [
        "mount --bind /etc /etc",
        "mount -o remount,bind,ro /etc",
        `mount --bind ${passwd} /etc/passwd`,
        'exec "$@"',
      ];
      const under = ["unshare", "--mount", "sh", "-c", steps.join(" && "), "sh"];
      await startAndStop({ under });
      await expect(startHolder(join(root, "new"), { under })).rejects.toThrow(
        /the account countersign-postgres cannot be made for it .*useradd --uid \d+ .*or set DATABASE_URL/,
      );
    });
  });
});
