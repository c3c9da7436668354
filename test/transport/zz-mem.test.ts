import { readFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { startService } from "../_harness/service.ts";
import { request, sendRaw } from "../security/raw-http1.ts";
test("memory", async () => {
  const service = await startService();
  const mib = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${service.pid}/status`, "utf8"))?.[1]) / 1024;
  const body = "a".repeat(10_000_000);
  const send = () => sendRaw(service.port, [request("POST /auth/login", ["Content-Type: application/x-www-form-urlencoded"], body)]);
  await send();
  const before = await mib(); const seen: number[] = [];
  for (let r = 1; r <= 64; r++) { await Promise.all([send(), send()]); if ([8,16,32,64].includes(r)) seen.push(Math.round(await mib() - before)); }
  process.stderr.write(`\ngrowth MiB at 8,16,32,64: ${seen.join(" ")} from ${Math.round(before)}\n`);
  await service.stop(); expect(1).toBe(1);
}, 300000);
