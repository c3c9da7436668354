import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { mechanisms } from "../mechanisms/mechanisms.ts";

const repository = join(import.meta.dirname, "../..");
const read = (path: string) => readFile(join(repository, path), "utf8");

describe("the list of mechanisms is in step with the code", () => {
  test.each(mechanisms.map((mechanism) => [mechanism.name, mechanism] as const))(
    "%s",
    async (_, { file, find, replace, test: { file: testFile } }) => {
      const source = await read(file);
      expect(source.split(find)).toHaveLength(2);
      expect(replace).not.toBe(find);
      await expect(read(testFile)).resolves.toContain("test");
    },
  );

  test("no two entries have one name", () => {
    const names = mechanisms.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(30);
  });
});
