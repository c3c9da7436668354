import { randomBytes } from "node:crypto";
import type { RedisClient } from "../../../redis/redis.ts";
import { readScript } from "../../../redis/script.ts";
import type { RefreshDecision } from "./decide-refresh.ts";
import type { Line } from "./line.ts";

/** A refresh, as Redis decides it. */
export interface Advance {
  readonly handleHash: Buffer;
  /** The generation in the token. */
  readonly presented: bigint;
  readonly graceMs: number;
  /** The secret key that a rotation is made under. */
  readonly secretKeyId: string;
  /** Where the caller is; see hashOrigin. */
  readonly origin: string;
  /** What Postgres knows: nothing below it counts. */
  readonly floor: Line;
  /** The first generation whose parent gets a late answer; null for none. */
  readonly lateFrom: bigint | null;
}

/** What a refresh token meant, and the session's line after it. */
export interface Advanced {
  /** `diverged`: the stores have answered for one rotation more than a grace apart (see haveDiverged). */
  readonly decision: RefreshDecision | "diverged";
  readonly line: Line;
}

/** A session that this or another process left unsaved. */
export interface Unsaved {
  readonly handleHash: Buffer;
  /** For clearing it. */
  readonly member: string;
}

/** Sessions that were claimed of one shard. */
export interface Claim {
  readonly shard: number;
  /** When, by Redis' clock. */
  readonly claimedAtMs: number;
  readonly unsaved: readonly Unsaved[];
}

/** The sessions' generations in Redis. Every method throws AppError unavailable. */
export interface LineStore {
  /** Decides what a refresh token means and moves the counter on, atomically. */
  advance(advance: Advance): Promise<Advanced>;
  /** What Redis knows of a session; null for nothing. */
  read(handleHash: Buffer): Promise<Line | null>;
  /** Writes down that this process may have moved a session on. */
  markUnsaved(handleHash: Buffer): Promise<void>;
  /** Takes back what this process wrote down. */
  clearUnsaved(handleHashes: readonly Buffer[]): Promise<void>;
  /** Takes sessions, from one shard, that any process left unsaved for so long. */
  claimUnsaved(shard: number, olderThanMs: number, limit: number): Promise<Claim>;
  /** Takes out what was claimed and is saved now. */
  clearClaimed(claim: Claim): Promise<void>;
}

/** In so many sorted sets it is written down what is unsaved, so that a cluster's nodes share the work. */
export const unsavedShards = 16;
const unsavedTtlMs = 7 * 86_400_000;
const noOrigin = "0".repeat(16);
const scripts = {
  advance: readScript(new URL("advance.lua", import.meta.url)),
  mark: readScript(new URL("mark-unsaved.lua", import.meta.url)),
  claim: readScript(new URL("claim-unsaved.lua", import.meta.url)),
  clear: readScript(new URL("clear-unsaved.lua", import.meta.url)),
};

/** @param recordTtlMs how long a session's record is kept after its last rotation */
export function createLineStore(redis: Pick<RedisClient, "run">, recordTtlMs: number): LineStore {
  // Each process marks by its own name: none takes back what another wrote down.
  const ownName = randomBytes(6).toString("base64url");
  const memberOf = (handleHash: Buffer) => `${handleHash.toString("base64url")}:${ownName}`;

  return {
    async advance({ handleHash, presented, graceMs, secretKeyId, origin, floor, lateFrom }) {
      const reply = await redis.run(scripts.advance, recordKey(handleHash), [
        presented.toString(),
        graceMs,
        secretKeyId,
        origin,
        recordTtlMs,
        floor.generation.toString(),
        floor.secretKeyId,
        floor.rotationOrigin ?? noOrigin,
        lateFrom?.toString() ?? "",
        ...floor.rotationAgesMs.map(Math.round),
      ]);
      const [decision, ...line] = reply as [Advanced["decision"], ...LineReply];
      return { decision, line: readLine(line) };
    },
    async read(handleHash) {
      const reply = await redis.run(scripts.advance, recordKey(handleHash), [""]);
      const [, ...line] = reply as [string, ...LineReply] | [];
      return isLine(line) ? readLine(line) : null;
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
    async claimUnsaved(shard, olderThanMs, limit) {
      const reply = await redis.run(scripts.claim, shardKey(shard), [olderThanMs, limit]);
      const [claimedAtMs, ...members] = reply as [number, ...string[]];
      const unsaved = members.map((member) => ({
        member,
        handleHash: Buffer.from(member.slice(0, member.indexOf(":")), "base64url"),
      }));
      return { shard, claimedAtMs, unsaved };
    },
    async clearClaimed({ shard, claimedAtMs, unsaved }) {
      const members = unsaved.map(({ member }) => member);
      await redis.run(scripts.clear, shardKey(shard), [claimedAtMs, ...members]);
    },
  };
}

/** Generation, id of the secret key, origin, ages. */
type LineReply = [string, string, string, ...number[]];

function isLine(reply: readonly unknown[]): reply is LineReply {
  return reply.length > 0;
}

function readLine([generation, secretKeyId, origin, ...rotationAgesMs]: LineReply): Line {
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
