import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { addClient } from "../_harness/clients.ts";
import { runTool } from "../_harness/run-tool.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

const arazzo = join(import.meta.dirname, "every-operation.arazzo.yaml");

let service: TestService;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-openapi-"));
  service = await startService();
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
});

test("every operation answers as the document says: status, media type and body", async () => {
  const sql = await openSql(service.databaseUrl);
  const client = await addClient(sql, { grants: ["client_credentials"], canIntrospect: true });
  await sql.end();
  await writeFile(join(folder, "openapi.yaml"), await (await fetch(`${service.url}/openapi.yaml`)).text());
  await copyFile(arazzo, join(folder, "every-operation.arazzo.yaml"));
  const input = { ...service.admin, client_basic: btoa(`${client.id}:${client.secret}`) };
  const { code, output } = await runTool("redocly", [
    "respect",
    join(folder, "every-operation.arazzo.yaml"),
    "--server",
    `countersign=${service.url}`,
    "--input",
    JSON.stringify(input),
  ]);
  expect({ code, failed: code === 0 ? "" : output }).toEqual({ code: 0, failed: "" });
  expect(output).toMatch(/Workflows: 2 passed, 2 total/);
}, 180_000);

test("no operation of the document is left out of that", async () => {
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const { workflows } = parse(readFileSync(arazzo, "utf8")) as {
    workflows: { steps: { operationId: string }[] }[];
  };
  for (const { steps } of workflows.slice(0, 1)) {
    const called = new Set(steps.map(({ operationId }) => operationId));
    expect([...called].toSorted()).toEqual(operations.map(({ operationId }) => operationId).toSorted());
  }
});
