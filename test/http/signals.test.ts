import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import { startService } from "../_harness/service.ts";

test("SIGHUP without a terminal ends the service in order, and a second one cuts nothing short", async () => {
  const service = await startService({ env: { DRAIN_DELAY: "1s" } });
  process.kill(service.pid, "SIGHUP");
  await eventually(() => service.output().includes("the service is draining"));
  expect(await service.end("SIGHUP")).toBe(0);
  expect(service.output()).toContain("the service has stopped");
  await service.stop();
});

test("SIGUSR1 opens no inspector in production", async () => {
  const service = await startService();
  process.kill(service.pid, "SIGUSR1");
  await eventually(() => service.output().includes("it stays closed in production"));
  expect(service.output()).not.toContain("Debugger listening");
  const sockets = await readFile(`/proc/${service.pid}/net/tcp`, "utf8");
  // 127.0.0.1:9229 in the state LISTEN.
  expect(sockets).not.toMatch(/0100007F:240D \S+ 0A/);
  await service.stop();
});
