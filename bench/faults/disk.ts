import { execFile, spawnSync } from "node:child_process";
import { chown, mkdtemp, open, rm, rmdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestCluster } from "../../test/_harness/postgres.ts";
import { openSql } from "../../test/_harness/sql.ts";

/** A small disk. */
export interface Disk {
  readonly folder: string;
  /** Takes all room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  remove(): Promise<void>;
}

const run = promisify(execFile);
const chunk = Buffer.alloc(64 * 1024);

/** Mounts one in memory, for a PostgreSQL's user. It takes root. */
export async function mountDisk(cluster: TestCluster): Promise<Disk> {
  const sql = await openSql(cluster.url);
  const { rows } = await sql.query<{ data_directory: string }>("show data_directory");
  await sql.end();
  const { uid, gid } = await stat(rows[0]?.data_directory ?? "");
  const mountPoint = await mkdtemp(join(tmpdir(), "countersign-faults-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=64m,mode=0755,uid=${uid},gid=${gid}`, "none", mountPoint]);
  // Whatever ends the run.
  const unmount = () => void spawnSync("umount", ["-l", mountPoint]);
  process.once("exit", unmount);
  const folder = join(mountPoint, "tables");
  await run("mkdir", [folder]);
  await chown(folder, uid, gid);
  const filler = join(mountPoint, "filler");
  return {
    folder,
    async fill() {
      const file = await open(filler, "w");
      try {
        for (;;) await file.write(chunk);
      } catch {
        // It is full.
      } finally {
        await file.close();
      }
    },
    free: () => rm(filler, { force: true }),
    async remove() {
      process.off("exit", unmount);
      await run("umount", [mountPoint]);
      await rmdir(mountPoint);
    },
  };
}
