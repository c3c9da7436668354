import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "../_harness/service.ts";

/** Each file that the page names, with the names of tests that follow it. */
function readReferences(page: string): { file: string; names: string[] }[] {
  return [...page.matchAll(/`(test\/[^`]+\.test\.ts)`(?:: ("[^"]+"(?:, "[^"]+")*))?/g)].map(
    ([, file = "", names = ""]) => ({
      file,
      names: [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name),
    }),
  );
}

test("every test that docs/guarantees.md names is there", async () => {
  const references = readReferences(await readFile(join(root, "docs", "guarantees.md"), "utf8"));
  expect(references.length).toBeGreaterThan(20);
  for (const { file, names } of references) {
    const text = await readFile(join(root, file), "utf8");
    for (const name of names) {
      expect({ file, name, isThere: text.includes(`"${name}"`) }).toMatchObject({ isThere: true });
    }
  }
});
