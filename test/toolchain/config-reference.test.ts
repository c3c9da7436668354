import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { configReference } from "../../scripts/config-reference.ts";
import { listVariables } from "../../src/config/variables.ts";

test("the reference has a row for each variable, with its default and meaning", () => {
  const rows = configReference().split("\n");
  for (const { name, help } of listVariables()) {
    const [row = "", ...more] = rows.filter((line) => line.startsWith(`| \`${name}\``));
    expect(more).toEqual([]);
    expect(row).toContain(help);
    expect(row.split(/(?<!\\)\|/)).toHaveLength(5);
  }
});

test("docs/config.md is the reference of this code", async () => {
  const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "config.md"), "utf8");
  expect(page).toBe(configReference());
});
