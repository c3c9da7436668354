import { randomBytes } from "node:crypto";
import { AppError } from "../../../errors/app-error.ts";
import { inSpan } from "../../../lib/span.ts";
import { gatherTurn } from "../../../lib/turn.ts";
import type { RedisClient } from "../../../redis/redis.ts";
import { readScript } from "../../../redis/script.ts";
import { type AdvanceDecision, isDecision } from "./decide-refresh.ts";
import type { RotationState } from "./rotation-state.ts";

/** A refresh, as Redis decides it. */
export interface AdvanceRequest {
  readonly handleHash: Buffer;
  /** The generation in the token. */
  readonly presented: bigint;
  readonly graceMs: number;
  /** The secret key that a rotation is made under. */
  readonly secretKeyId: string;
  /** Where the caller is; see hashOrigin. */
  readonly origin: string;
  /** What Postgres knows: no generation below it counts. */
  readonly inPostgres: RotationState;
  /** The first generation whose parent gets a late answer; null for none. */
  readonly lateFrom: bigint | null;
}

/** What a refresh token meant, and what Redis knows of the session after it. */
export interface AdvanceResult {
  readonly decision: AdvanceDecision;
  readonly state: RotationState;
}

/** A session that some process has marked as unsaved. */
export interface Unsaved {
  readonly handleHash: Buffer;
  /** The entry of the sorted set, to clear it by. */
  readonly member: string;
}

/** Unsaved sessions of one shard, taken so that no other instance takes them for a while. */
export interface UnsavedBatch {
  readonly shard: number;
  /** When, by Redis' clock. */
  readonly takenAtMs: number;
  readonly unsaved: readonly Unsaved[];
}

/** The rotations of sessions in Redis. Every method throws AppError unavailable. */
export interface RedisRotationStore {
  /**
   * Decides what a refresh token means and moves the counter on, atomically. Where that can move it, the session is
   * marked as unsaved before: Postgres does not know then. All refreshes of one turn of the event loop are one command,
   * but in a cluster, where their keys lie apart.
   */
  advance(advance: AdvanceRequest): Promise<AdvanceResult>;
  /** What Redis knows of a session; null for nothing. */
  read(handleHash: Buffer): Promise<RotationState | null>;
  /** Clears the marks of this process. */
  clearUnsaved(handleHashes: readonly Buffer[]): Promise<void>;
  /** Takes sessions of one shard that have been unsaved for so long, whichever process marked them. */
  takeUnsaved(shard: number, olderThanMs: number, limit: number): Promise<UnsavedBatch>;
  /** Clears sessions that were taken and are saved now. */
  clearTaken(batch: UnsavedBatch): Promise<void>;
}

/** How many sorted sets the unsaved sessions are spread over, so that the nodes of a cluster share them. */
export const unsavedShards = 16;
const unsavedTtlMs = 7 * 86_400_000;
const noOrigin = "0".repeat(16);
const scripts = {
  advance: readScript(new URL("advance.lua", import.meta.url)),
  mark: readScript(new URL("mark-unsaved.lua", import.meta.url)),
  take: readScript(new URL("take-unsaved.lua", import.meta.url)),
  clear: readScript(new URL("clear-unsaved.lua", import.meta.url)),
};

/** A session that the script is asked about, and who waits for what it says. */
interface Asked {
  readonly handleHash: Buffer;
  readonly request: string;
  resolve(reply: string): void;
  reject(error: unknown): void;
}

/** So that a command keeps Redis from others for a millisecond at most. */
const togetherMax = 64;

/** @param recordTtlMs how long a session's record is kept after its last rotation */
export function createRedisRotationStore(
  redis: Pick<RedisClient, "run" | "lieTogether">,
  recordTtlMs: number,
): RedisRotationStore {
  // Each process marks by its own name: none clears the mark of another.
  const ownName = randomBytes(6).toString("base64url");
  const memberOf = (handleHash: Buffer) => `${handleHash.toString("base64url")}:${ownName}`;

  const send = async (all: readonly Asked[], isMarking: boolean): Promise<void> => {
    const records = all.map(({ handleHash }) => recordKey(handleHash));
    const shards = isMarking ? all.map(({ handleHash }) => shardKey(shardOf(handleHash))) : [];
    const requests = all.map(({ request }) => request);
    try {
      const args = [recordTtlMs, unsavedTtlMs, ...requests];
      const replies = (await redis.run(scripts.advance, [...records, ...shards], args)) as readonly string[];
      for (const [index, { resolve }] of all.entries()) resolve(replies[index] ?? "");
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };

  const sendApart = (one: Asked): void => {
    // Before the refresh, in the same turn: a process that is killed in between leaves it behind.
    const args = [unsavedTtlMs, memberOf(one.handleHash)];
    redis.run(scripts.mark, shardKey(shardOf(one.handleHash)), args).catch(() => undefined);
    void send([one], false);
  };

  const gather = gatherTurn<Asked>((all) => {
    for (let from = 0; from < all.length; from += togetherMax) {
      const some = all.slice(from, from + togetherMax);
      const keys = some.flatMap(({ handleHash }) => [recordKey(handleHash), shardKey(shardOf(handleHash))]);
      if (redis.lieTogether(keys)) void send(some, true);
      else for (const one of some) sendApart(one);
    }
  });

  const ask = (handleHash: Buffer, request: string): Promise<string> =>
    inSpan(
      "redis",
      scripts.advance.name,
      () => new Promise<string>((resolve, reject) => gather({ handleHash, request, resolve, reject })),
    );

  return {
    async advance({ handleHash, presented, graceMs, secretKeyId, origin, inPostgres, lateFrom }) {
      const words = [
        presented,
        graceMs,
        secretKeyId,
        origin,
        inPostgres.generation,
        inPostgres.secretKeyId,
        inPostgres.rotationOrigin ?? noOrigin,
        lateFrom ?? "-",
        memberOf(handleHash),
        ...inPostgres.rotationAgesMs.map(Math.round),
      ];
      const [decision = "", ...state] = (await ask(handleHash, words.join(" "))).split(" ");
      if (!isDecision(decision)) throw new AppError("unavailable", "A store is not reachable at the moment.");
      return { decision, state: readState(state) };
    },
    async read(handleHash) {
      const [decision, ...state] = (await ask(handleHash, "read")).split(" ");
      return decision === "read" ? readState(state) : null;
    },
    async clearUnsaved(handleHashes) {
      const shards = Map.groupBy(handleHashes, shardOf);
      await Promise.all(
        [...shards].map(([shard, hashes]) =>
          redis.run(scripts.clear, shardKey(shard), [Number.MAX_SAFE_INTEGER, ...hashes.map(memberOf)]),
        ),
      );
    },
    async takeUnsaved(shard, olderThanMs, limit) {
      const reply = await redis.run(scripts.take, shardKey(shard), [olderThanMs, limit]);
      const [takenAtMs, ...members] = reply as [number, ...string[]];
      const unsaved = members.map((member) => ({
        member,
        handleHash: Buffer.from(member.slice(0, member.indexOf(":")), "base64url"),
      }));
      return { shard, takenAtMs, unsaved };
    },
    async clearTaken({ shard, takenAtMs, unsaved }) {
      const members = unsaved.map(({ member }) => member);
      await redis.run(scripts.clear, shardKey(shard), [takenAtMs, ...members]);
    },
  };
}

/** @param words generation, id of the secret key, origin, ages */
function readState([generation = "", secretKeyId = "", origin, ...ages]: readonly string[]): RotationState {
  return {
    generation: BigInt(generation),
    rotationAgesMs: ages.map(Number),
    secretKeyId,
    rotationOrigin: origin === undefined || origin === noOrigin ? null : origin,
  };
}

function recordKey(handleHash: Buffer): string {
  return `session:${handleHash.toString("base64url")}`;
}

function shardKey(shard: number): string {
  return `unsaved:${shard}`;
}

function shardOf(handleHash: Buffer): number {
  return handleHash.readUInt8(0) % unsavedShards;
}
