import { randomBytes } from "node:crypto";
import { AppError } from "../../../errors/app-error.ts";
import type { RedisClient } from "../../../redis/redis.ts";
import { readScript } from "../../../redis/script.ts";
import { type AdvanceDecision, isDecision } from "./decide-refresh.ts";
import { createRecordScript, readRequest } from "./record-script.ts";
import type { RotationState } from "./rotation-state.ts";
import { shardKey, shardOf } from "./unsaved-shards.ts";

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

const noOrigin = "0".repeat(16);
const scripts = {
  take: readScript(new URL("take-unsaved.lua", import.meta.url)),
  clear: readScript(new URL("clear-unsaved.lua", import.meta.url)),
};

/** @param recordTtlMs how long a session's record is kept after its last rotation */
export function createRedisRotationStore(
  redis: Pick<RedisClient, "run" | "lieTogether">,
  recordTtlMs: number,
): RedisRotationStore {
  // Each process marks by its own name: none clears the mark of another.
  const ownName = randomBytes(6).toString("base64url");
  const memberOf = (handleHash: Buffer) => `${handleHash.toString("base64url")}:${ownName}`;

  const ask = createRecordScript(redis, recordTtlMs, memberOf);

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
      const [decision, ...state] = (await ask(handleHash, readRequest)).split(" ");
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
