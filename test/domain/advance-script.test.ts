import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Redis } from "ioredis";
import { decideRefresh } from "../../src/domain/session/rotation/decide-refresh.ts";
import {
  haveDiverged,
  type RotationState,
  mergeRotations,
} from "../../src/domain/session/rotation/rotation-state.ts";
import {
  type AdvanceResult,
  createRedisRotationStore,
  type RedisRotationStore,
} from "../../src/domain/session/rotation/redis-rotation-store.ts";
import { parseRedisUrl } from "../../src/lib/redis-url.ts";
import { createRedis, type RedisClient } from "../../src/redis/redis.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { readRecord, writeRecord } from "../_harness/session-stores.ts";
import { sharedRedisUrl } from "../_harness/shared-stores.ts";

const keyPrefix = `test-${randomBytes(6).toString("hex")}:`;
const recordTtlMs = 60_000;

let client: RedisClient;
let redis: Redis;
let store: RedisRotationStore;
beforeAll(async () => {
  const target = parseRedisUrl(sharedRedisUrl());
  if (target === null) throw new Error("The run has no Redis.");
  const observer = { onBreaker: () => undefined, onCall: () => undefined };
  client = createRedis({ target, caFile: null, keyPrefix, timeoutMs: 30_000, observer });
  await client.firstConnection(10_000);
  redis = new Redis(sharedRedisUrl());
  store = createRedisRotationStore(client, recordTtlMs);
});
afterAll(() => {
  client.close();
  redis.disconnect();
});

const keyOf = (handleHash: Buffer) => `${keyPrefix}session:${handleHash.toString("base64url")}`;

async function redisNowMs(): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

/** Lets time pass for a record, as far as its rotations go. */
async function age(key: string, ms: number): Promise<void> {
  const text = await redis.get(key);
  if (text === null) return;
  const record = readRecord(text);
  const rotatedAtMs = record.rotatedAtMs.map((time) => (time === 0 ? 0 : time - ms));
  await redis.set(key, writeRecord({ ...record, rotatedAtMs }), "KEEPTTL");
}

/** What the script does, by the functions that decide in Postgres' place. */
function model(
  record: RotationState | null,
  inPostgres: RotationState,
  { presented, graceMs, secretKeyId, origin, lateFrom }: Step,
): { readonly advanced: AdvanceResult; readonly record: RotationState | null } {
  const state = record === null ? inPostgres : mergeRotations(record, inPostgres);
  if (record !== null && haveDiverged(record, inPostgres, graceMs)) {
    return { advanced: { decision: "diverged", state }, record };
  }
  const decision = decideRefresh(presented, state.generation, state.rotationAgesMs, graceMs, lateFrom);
  if (decision !== "rotate" && decision !== "catch_up") return { advanced: { decision, state }, record };
  const made = Array<number>(Number(presented + 1n - state.generation)).fill(0);
  const moved = {
    generation: presented + 1n,
    rotationAgesMs: [...state.rotationAgesMs, ...made].slice(-4),
    secretKeyId,
    rotationOrigin: origin,
  };
  return { advanced: { decision, state: moved }, record: moved };
}

interface Step {
  readonly presented: bigint;
  readonly graceMs: number;
  readonly secretKeyId: string;
  readonly origin: string;
  readonly lateFrom: bigint | null;
}

// Far from one another, so that the milliseconds that a test takes decide nothing.
const unitMs = 100_000;
const graces = fc.constantFrom(0, unitMs * 1.5, unitMs * 3.5);
const pauses = fc.constantFrom(0, 0, 0, unitMs, 2 * unitMs, 5 * unitMs);

const steps = fc.array(
  fc.record({
    /** Which token is shown, counted from the current one. */
    offset: fc.integer({ min: -6, max: 3 }),
    graceMs: graces,
    pauseMs: pauses,
    secretKeyId: fc.constantFrom("0000000a", "0000000b"),
    origin: fc.constantFrom("1".repeat(16), "2".repeat(16)),
    /** From which generation on there are late answers. */
    lateFrom: fc.constantFrom(null, 0n, 2n, 3n, 5n),
    /** What happens to the stores before it. */
    event: fc.constantFrom("none", "none", "none", "saved", "record lost", "rotated in Postgres"),
  }),
  { minLength: 1, maxLength: 12 },
);

const aged = (state: RotationState, ms: number): RotationState => ({
  ...state,
  rotationAgesMs: state.rotationAgesMs.map((value) => value + ms),
});

/** The milliseconds between two statements are no part of what is compared. */
function coarse({ decision, state }: AdvanceResult): unknown {
  const rotationAgesMs = state.rotationAgesMs.map((value) => Math.floor((value + unitMs / 4) / (unitMs / 2)));
  return { decision, ...state, rotationAgesMs };
}

describe("the script in Redis", () => {
  test(
    "decides as the functions do, and leaves the same state, on any history",
    async () => {
      const numRuns = sizeOf(200, 10_000);
      const figures: Record<string, number> = {};
      await fc.assert(
        fc.asyncProperty(steps, async (history) => {
          const handleHash = randomBytes(32);
          let inPostgres: RotationState = {
            generation: 0n,
            rotationAgesMs: [],
            secretKeyId: "0000000a",
            rotationOrigin: null,
          };
          let record: RotationState | null = null;
          for (const { offset, pauseMs: pause, event, ...rest } of history) {
            // No two rotations at the same time.
            const pauseMs = pause + 10;
            await age(keyOf(handleHash), pauseMs);
            inPostgres = aged(inPostgres, pauseMs);
            record = record === null ? null : aged(record, pauseMs);
            if (event === "saved" && record !== null) inPostgres = mergeRotations(record, inPostgres);
            if (event === "record lost") {
              await redis.del(keyOf(handleHash));
              record = null;
            }
            if (event === "rotated in Postgres") {
              const rotationAgesMs = [...inPostgres.rotationAgesMs, 0].slice(-4);
              inPostgres = {
                ...inPostgres,
                generation: inPostgres.generation + 1n,
                rotationAgesMs,
                secretKeyId: "0000000c",
              };
            }
            const current = record === null ? inPostgres : mergeRotations(record, inPostgres);
            const presented = current.generation + BigInt(offset);
            if (presented < 0n) continue;
            const expected = model(record, inPostgres, { ...rest, presented });
            const advanced = await store.advance({ ...rest, handleHash, presented, inPostgres });
            expect(coarse(advanced)).toEqual(coarse(expected.advanced));
            ({ record } = expected);
            figures[advanced.decision] = (figures[advanced.decision] ?? 0) + 1;
          }
          await redis.del(keyOf(handleHash));
        }),
        { numRuns },
      );
      for (const decision of ["rotate", "replay", "late", "reuse", "catch_up", "diverged"]) {
        expect(figures[decision]).toBeGreaterThan(0);
      }
      printFigures("script and functions agree", { histories: numRuns, ...figures });
    },
    longTimeoutMs,
  );

  test("takes the word of PostgreSQL where it knows less, and where it knows nothing", async () => {
    const handleHash = randomBytes(32);
    const inPostgres = {
      generation: 7n,
      rotationAgesMs: [50_000],
      secretKeyId: "0000000a",
      rotationOrigin: null,
    };
    const request = {
      handleHash,
      graceMs: 60_000,
      secretKeyId: "0000000a",
      origin: "1".repeat(16),
      inPostgres,
      lateFrom: null,
    };
    expect((await store.advance({ ...request, presented: 5n })).decision).toBe("reuse");
    expect((await store.advance({ ...request, presented: 7n })).state.generation).toBe(8n);
    expect((await store.advance({ ...request, presented: 5n })).decision).toBe("reuse");
    const later = { ...inPostgres, generation: 12n, rotationAgesMs: [1000] };
    expect((await store.advance({ ...request, inPostgres: later, presented: 8n })).decision).toBe("reuse");
    expect((await store.advance({ ...request, inPostgres: later, presented: 11n })).state.generation).toBe(
      12n,
    );
  });

  test("reads what it wrote, and takes what is no record of its own for none", async () => {
    const handleHash = randomBytes(32);
    expect(await store.read(handleHash)).toBeNull();
    const inPostgres = { generation: 0n, rotationAgesMs: [], secretKeyId: "0000000a", rotationOrigin: null };
    const request = {
      handleHash,
      graceMs: 60_000,
      secretKeyId: "0000000b",
      origin: "2".repeat(16),
      inPostgres,
      lateFrom: null,
    };
    await store.advance({ ...request, presented: 0n });
    expect(await store.read(handleHash)).toEqual({
      generation: 1n,
      rotationAgesMs: [expect.any(Number)],
      secretKeyId: "0000000b",
      rotationOrigin: "2".repeat(16),
    });
    expect(await redis.pttl(keyOf(handleHash))).toBeGreaterThan(recordTtlMs / 2);
    for (const other of ["", "2", "x".repeat(87), `1${"x".repeat(86)}`, `2${"0".repeat(86)}`]) {
      await redis.set(keyOf(handleHash), other);
      expect(await store.read(handleHash)).toBeNull();
      await store.advance({ ...request, presented: 0n });
      expect((await store.read(handleHash))?.generation).toBe(1n);
    }
  });

  test("answers ages by Redis' own clock", async () => {
    const handleHash = randomBytes(32);
    const rotatedAtMs = [0, 0, 0, (await redisNowMs()) - 5000];
    const record = { generation: 3n, keyId: "0000000a", origin: "1".repeat(16), rotatedAtMs };
    await redis.set(keyOf(handleHash), writeRecord(record));
    const [ageMs = 0] = (await store.read(handleHash))?.rotationAgesMs ?? [];
    expect(ageMs).toBeGreaterThanOrEqual(5000);
    expect(ageMs).toBeLessThan(60_000);
  });
});
