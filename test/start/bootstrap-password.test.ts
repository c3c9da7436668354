import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { findBootstrapPassword, keepBootstrapPassword } from "../../src/app/bootstrap-password.ts";

let dataDir: string;
const isRight = (password: string): Promise<boolean> => Promise.resolve(password === "one");
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "countersign-bootstrap-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

describe("the first user's password in its file", () => {
  test("has its known name only once the user was made, and is nobody else's to read", async () => {
    const kept = await keepBootstrapPassword(dataDir, "one");
    expect(await readdir(dataDir)).toEqual([expect.stringMatching(/^bootstrap-password\.[0-9a-f]{16}$/)]);
    const file = await kept.publish();
    expect(file).toBe(join(dataDir, "bootstrap-password"));
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
    expect(await readFile(file, "utf8")).toBe("one\n");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await kept.remove();
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("is not taken away by a replica that shares the folder and made no user", async () => {
    const [winner, loser] = [
      await keepBootstrapPassword(dataDir, "won"),
      await keepBootstrapPassword(dataDir, "lost"),
    ];
    const file = await winner.publish();
    await loser.remove();
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
    expect(await readFile(file, "utf8")).toBe("won\n");
  });

  test("is found after a start that was killed between making the user and telling of it", async () => {
    await keepBootstrapPassword(dataDir, "one");
    const file = await findBootstrapPassword(dataDir, isRight);
    expect(file).toBe(join(dataDir, "bootstrap-password"));
    expect(await readFile(file ?? "", "utf8")).toBe("one\n");
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
  });

  test("is published all the same where a replica has found it first", async () => {
    const kept = await keepBootstrapPassword(dataDir, "one");
    const file = await findBootstrapPassword(dataDir, isRight);
    expect(await kept.publish()).toBe(file);
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
    await kept.remove();
    expect(await readdir(dataDir)).toEqual([]);
  });

  test("is not that of a replica which makes no user, and has not removed its own yet", async () => {
    const loser = await keepBootstrapPassword(dataDir, "lost");
    expect(await findBootstrapPassword(dataDir, isRight)).toBeNull();
    const winner = await keepBootstrapPassword(dataDir, "one");
    expect(await findBootstrapPassword(dataDir, isRight)).toBe(await winner.publish());
    await loser.remove();
    expect(await readdir(dataDir)).toEqual(["bootstrap-password"]);
    expect(await readFile(join(dataDir, "bootstrap-password"), "utf8")).toBe("one\n");
  });

  test("is not replaced by such a one, and not found where there is none", async () => {
    const winner = await keepBootstrapPassword(dataDir, "one");
    await keepBootstrapPassword(dataDir, "lost");
    await winner.publish();
    expect(await readFile((await findBootstrapPassword(dataDir, isRight)) ?? "", "utf8")).toBe("one\n");
    expect(await findBootstrapPassword(join(dataDir, "none"), isRight)).toBeNull();
  });
});
