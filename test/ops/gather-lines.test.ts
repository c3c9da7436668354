import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { gatherLines } from "../../src/ops/gather-lines.ts";
import { createLogger } from "../../src/ops/logger.ts";

function collect() {
  const writes: string[] = [];
  const destination = gatherLines({ write: (text: string) => void writes.push(text) });
  const log = createLogger("info", false, destination);
  const messages = () =>
    writes.map((text) => {
      const lines = text.trimEnd().split("\n");
      return lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    });
  return { log, messages };
}

describe("gathered lines", () => {
  test("the first goes at once, and those that follow it go together", async () => {
    const { log, messages } = collect();
    for (const message of ["first", "second", "third"]) log.info({}, message);
    expect(messages()).toEqual([["first"]]);
    // sleep: the lines are gathered for a while.
    await sleep(100);
    expect(messages()).toEqual([["first"], ["second", "third"]]);
    // A silence has passed.
    log.info({}, "fourth");
    expect(messages().at(-1)).toEqual(["fourth"]);
  });

  test.each(["warn", "error"] as const)(
    "a line of level %s waits for nothing, nor do those before it",
    (level) => {
      const { log, messages } = collect();
      log.info({}, "first");
      log.info({}, "second");
      log[level]({}, "third");
      expect(messages()).toEqual([["first"], ["second", "third"]]);
    },
  );

  test("no more than some kilobytes are kept", () => {
    const { log, messages } = collect();
    for (let index = 0; index < 100; index += 1) log.info({ filler: "x".repeat(1_000) }, `${index}`);
    expect(messages().flat().length).toBeGreaterThan(80);
    expect(messages().length).toBeLessThan(10);
  });

  test.each([
    ["ends by itself", ""],
    ["is ended", "process.exit(3);"],
    ["ends by an error that nobody has caught", "throw new Error('planted');"],
  ])("none is lost where the process %s", (_how, ending) => {
    const logger = join(import.meta.dirname, "../../src/ops/logger.ts");
    const program = `import { createLogger } from ${JSON.stringify(logger)};
      const log = createLogger("info", false);
      for (let index = 0; index < 50; index += 1) log.info({ index }, "line");
      ${ending}`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    const indexes = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { index: number }).index);
    // A write that is under way when the process ends may come after what is written at its end.
    indexes.sort((one, other) => one - other);
    expect(indexes).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });
});
