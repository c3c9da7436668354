import { randomBytes } from "node:crypto";
import type { RedisClient } from "../../../redis/redis.ts";
import { readScript } from "../../../redis/script.ts";
import type { AdvanceDecision } from "./decide-refresh.ts";
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
  /** Decides what a refresh token means and moves the counter on, atomically. */
  advance(advance: AdvanceRequest): Promise<AdvanceResult>;
  /** What Redis knows of a session; null for nothing. */
  read(handleHash: Buffer): Promise<RotationState | null>;
  /** Marks a session as unsaved: this process may rotate it before Postgres knows. */
  markUnsaved(handleHash: Buffer): Promise<void>;
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

/** @param recordTtlMs how long a session's record is kept after its last rotation */
export function createRedisRotationStore(
  redis: Pick<RedisClient, "run">,
  recordTtlMs: number,
): RedisRotationStore {
  // Each process marks by its own name: none clears the mark of another.
  const ownName = randomBytes(6).toString("base64url");
  const memberOf = (handleHash: Buffer) => `${handleHash.toString("base64url")}:${ownName}`;

  return {
    async advance({ handleHash, presented, graceMs, secretKeyId, origin, inPostgres, lateFrom }) {
      const reply = await redis.run(scripts.advance, recordKey(handleHash), [
        presented.toString(),
        graceMs,
        secretKeyId,
        origin,
        recordTtlMs,
        inPostgres.generation.toString(),
        inPostgres.secretKeyId,
        inPostgres.rotationOrigin ?? noOrigin,
        lateFrom?.toString() ?? "",
        ...inPostgres.rotationAgesMs.map(Math.round),
      ]);
      const [decision, ...state] = reply as [AdvanceDecision, ...StateReply];
      return { decision, state: readState(state) };
    },
    async read(handleHash) {
      const reply = await redis.run(scripts.advance, recordKey(handleHash), [""]);
      const [, ...state] = reply as [string, ...StateReply] | [];
      return isState(state) ? readState(state) : null;
    },
    async markUnsaved(handleHash) {
      await redis.run(scripts.mark, shardKey(shardOf(handleHash)), [unsavedTtlMs, memberOf(handleHash)]);
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

/** Generation, id of the secret key, origin, ages. */
type StateReply = [string, string, string, ...number[]];

function isState(reply: readonly unknown[]): reply is StateReply {
  return reply.length > 0;
}

function readState([generation, secretKeyId, origin, ...rotationAgesMs]: StateReply): RotationState {
  return {
    generation: BigInt(generation),
    rotationAgesMs,
    secretKeyId,
    rotationOrigin: origin === noOrigin ? null : origin,
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
