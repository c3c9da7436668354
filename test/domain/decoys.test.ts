import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createDecoys } from "../../src/domain/password/decoys.ts";

const key = createSecretKey(Buffer.alloc(32, 7));

describe("the format that an unknown name is hashed with", () => {
  test("is the format of new hashes while nothing is known", () => {
    expect(createDecoys(key, "fresh").choose("nobody")).toBe("fresh");
  });

  test("is always the same for the same name, and another key places names otherwise", () => {
    const counts = [
      { format: "a", count: 1 },
      { format: "b", count: 1 },
    ];
    const [one, other] = [
      createDecoys(key, "fresh"),
      createDecoys(createSecretKey(Buffer.alloc(32, 8)), "fresh"),
    ];
    one.update(counts);
    other.update(counts);
    const names = Array.from({ length: 64 }, (_, index) => `name-${index}`);
    expect(names.map((name) => one.choose(name))).toEqual(names.map((name) => one.choose(name)));
    expect(names.map((name) => one.choose(name))).not.toEqual(names.map((name) => other.choose(name)));
  });

  test("stays a name's own while users are added, as the format of a user does", () => {
    const decoys = createDecoys(key, "fresh");
    const names = Array.from({ length: 1_000 }, (_, index) => `name-${index}`);
    const choose = (old: number, fresh: number): string[] => {
      decoys.update([
        { format: "old", count: old },
        { format: "fresh", count: fresh },
      ]);
      return names.map((name) => decoys.choose(name));
    };
    const before = choose(500, 500);
    const changed = choose(500, 507).filter((format, index) => format !== before[index]);
    // A third of a percent of them move with the proportion.
    expect(changed.length).toBeLessThan(20);
  });

  test("comes in the proportion in use", () => {
    const decoys = createDecoys(key, "fresh");
    decoys.update([
      { format: "old", count: 25 },
      { format: "new", count: 75 },
    ]);
    const chosen = Array.from({ length: 4000 }, (_, index) => decoys.choose(`name-${index}`));
    const share = chosen.filter((format) => format === "old").length / chosen.length;
    // Four standard deviations of a binomial of 4,000 with 0.25 are 0.027.
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
  });
});
