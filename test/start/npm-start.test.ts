import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { root } from "../_harness/service.ts";
import { endLeftProcesses, postgresOf, startProcess } from "./start-process.ts";

let home = "";
afterEach(async () => {
  await endLeftProcesses();
  await rm(home, { recursive: true, force: true });
});

// npm passes a signal to the shell that it starts a script with; a shell that waits for the script dies of it alone.
test("npm start ends in order by SIGTERM, and leaves nothing running", async () => {
  home = await mkdtemp(join(tmpdir(), "countersign-test-npm-start-"));
  // The user that PostgreSQL runs as must get in.
  await chmod(home, 0o755);
  const env = { HOME: home, DATA_DIR: join(home, "data") };
  const service = await startProcess({ env, command: ["npm", "start"], cwd: root });
  await service.ready();
  expect(await postgresOf(env.DATA_DIR)).not.toEqual([]);
  expect(await service.end("SIGTERM")).toBe(0);
  expect(service.logs().at(-1)).toMatchObject({ msg: "the service has stopped" });
  expect(await postgresOf(env.DATA_DIR)).toEqual([]);
});
