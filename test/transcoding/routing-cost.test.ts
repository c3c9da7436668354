import { describe, expect, test } from "@jest/globals";
import { createTranscoder, type Transcoder } from "../../src/transcoding/transcoder.ts";
import { get, post, serviceWith } from "./demo.ts";

/** A service with so many routes of every shape, beside those that the requests are for. */
function transcoderWith(count: number): Transcoder {
  const others = Array.from({ length: count }, (_, index) => [
    { rpc: `Literal${index}`, rule: get(`/items/list${index}/x`) },
    { rpc: `Verb${index}`, rule: post(`/items:verb${index}`) },
    { rpc: `Variable${index}`, rule: get(`/items/{id}/part${index}`) },
    { rpc: `Rest${index}`, rule: get(`/trees/tree${index}/{id=**}`) },
    { rpc: `Deep${index}`, rule: get(`/a${index}/b${index}/{id}/c/{title}`) },
  ]).flat();
  const wanted = [
    { rpc: "Item", rule: get("/items/{id}") },
    { rpc: "Part", rule: get("/items/{id}/part") },
    { rpc: "Copy", rule: post("/items/{id}:copy") },
    { rpc: "Tree", rule: get("/trees/{id=**}") },
  ];
  return createTranscoder({ services: [serviceWith(...others, ...wanted)] });
}

const counted: readonly (readonly [object, readonly PropertyKey[]])[] = [
  [Map.prototype, ["get", "has", "keys", "values", "entries", "forEach", Symbol.iterator]],
  [Set.prototype, ["has", "keys", "values", "entries", "forEach", Symbol.iterator]],
  [
    Array.prototype,
    [
      "find",
      "findIndex",
      "filter",
      "map",
      "flatMap",
      "some",
      "every",
      "forEach",
      "includes",
      "indexOf",
      "sort",
    ],
  ],
  [Array.prototype, ["entries", "keys", "values", Symbol.iterator]],
  [RegExp.prototype, ["exec"]],
];

/** How often a collection is asked, or walked through, while something runs; a walk counts its items. */
function countSteps(run: () => void): number {
  let steps = 0;
  const restore: (() => void)[] = [];
  for (const [prototype, names] of counted) {
    for (const name of names) {
      const original = Object.getOwnPropertyDescriptor(prototype, name);
      if (original === undefined) throw new Error(`there is no ${String(name)}`);
      const method = original.value as (...args: unknown[]) => unknown;
      const walks = name !== "get" && name !== "has" && name !== "exec";
      Object.defineProperty(prototype, name, {
        ...original,
        value(this: { size?: number; length?: number }, ...args: unknown[]) {
          steps += walks ? (this.size ?? this.length ?? 0) : 1;
          return Reflect.apply(method, this, args);
        },
      });
      restore.push(() => Object.defineProperty(prototype, name, original));
    }
  }
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return steps;
}

const requests: [string, string, string][] = [
  ["GET", "/items/7", "found"],
  ["GET", "/items/7/part", "found"],
  ["POST", "/items/7:copy", "found"],
  ["GET", "/trees/a/b/c/d", "found"],
  ["GET", "/trees/tree0/b/c/d", "found"],
  ["GET", "/items/list0/x", "found"],
  ["GET", "/items/7/nothing", "not_found"],
  ["GET", "/nothing/at/all", "not_found"],
  ["DELETE", "/items/7", "method_not_allowed"],
  ["OPTIONS", "/items/7", "options"],
];

describe("the cost of finding a route", () => {
  const few = transcoderWith(1);
  const many = transcoderWith(1_000);

  test.each(requests)("%s %s takes as many steps among 5,004 routes as among nine", (method, path, kind) => {
    expect([few.bindings.length, many.bindings.length]).toEqual([9, 5_004]);
    expect(few.match(method, path).kind).toBe(kind);
    expect(many.match(method, path).kind).toBe(kind);
    const steps = countSteps(() => few.match(method, path));
    expect(steps).toBeGreaterThan(0);
    expect(countSteps(() => many.match(method, path))).toBe(steps);
  });

  test("grows with the path alone, and no faster than it", () => {
    const stepsFor = (segments: number) =>
      countSteps(() => many.match("GET", `/trees${"/x".repeat(segments)}`)) / segments;
    expect(stepsFor(10_000)).toBeLessThanOrEqual(stepsFor(100) * 1.01);
  });

  test("is counted: a walk through all routes would show", () => {
    const walk = (transcoder: Transcoder) => () => void transcoder.bindings.find(() => false);
    expect(countSteps(walk(many))).toBeGreaterThan(countSteps(walk(few)) * 100);
  });
});
