import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { printFigures } from "../_harness/figures.ts";
import { createTestDatabase, startTestCluster } from "../_harness/postgres.ts";
import { startService } from "../_harness/service.ts";

const watchedSeconds = 6;
/** Plans that are compiled took 155 ms a second; what the statements themselves take is about 2. */
const idleMsPerSecond = 20;
const ticksPerSecond = 100;

/** Processor time of a process and of those that it has started, in milliseconds; the ended ones count too. */
async function processorMs(pid: number): Promise<number> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, "utf8").catch(() => "")));
  const fields = stats.map((stat) => [
    Number.parseInt(stat, 10),
    ...stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number),
  ]);
  // Behind the name: state 1, parent 2, then utime 12 and stime 13, and 14 and 15 of children that have ended.
  const ticks = (own: readonly number[], ...places: number[]) =>
    places.reduce((sum, place) => sum + (own[place] ?? 0), 0);
  return fields
    .map((own) => (own[0] === pid ? ticks(own, 12, 13, 14, 15) : own[2] === pid ? ticks(own, 12, 13) : 0))
    .reduce((sum, each) => sum + (each * 1000) / ticksPerSecond, 0);
}

test("two idle instances cost a stock PostgreSQL 15 next to nothing", async () => {
  const cluster = await startTestCluster({ stock: true });
  const env = { DATABASE_URL: (await createTestDatabase(cluster)).url };
  const services = [await startService({ env })];
  services.push(await startService({ env }));
  try {
    for (const { url, admin } of services) await api(url).rest.login(admin);
    // sleep: what the logins have begun is over.
    await sleep(1_000);
    const before = await processorMs(cluster.pid());
    // sleep: the time that is measured.
    await sleep(watchedSeconds * 1000);
    const perSecond = ((await processorMs(cluster.pid())) - before) / watchedSeconds;
    printFigures("two idle instances", {
      "PostgreSQL 15, ms of a processor each second": perSecond.toFixed(1),
    });
    expect(perSecond).toBeLessThan(idleMsPerSecond);
  } finally {
    for (const service of services) await service.stop();
    await cluster.stop();
  }
}, 240_000);
