import { inSpan } from "../../../lib/span.ts";
import { gatherTurn } from "../../../lib/turn.ts";
import type { RedisClient } from "../../../redis/redis.ts";
import { readScript } from "../../../redis/script.ts";
import { shardKey, shardOf } from "./unsaved-shards.ts";

/** Asks advance.lua about a session's record, in its words. Throws AppError unavailable. */
export type RecordScript = (handleHash: Buffer, request: string) => Promise<string>;

/** A session that the script is asked about, and who waits for what it says. */
interface Asked {
  readonly handleHash: Buffer;
  readonly request: string;
  readonly resolve: (reply: string) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads a record, and changes nothing. */
export const readRequest = "read";

const unsavedTtlMs = 7 * 86_400_000;
/** So that a command keeps Redis from others for a millisecond at most. */
const togetherMax = 64;

const scripts = {
  advance: readScript(new URL("advance.lua", import.meta.url)),
  mark: readScript(new URL("mark-unsaved.lua", import.meta.url)),
};

/**
 * Runs the script once for all who ask in one turn of the event loop; in a cluster, where their keys lie apart, once
 * for each, and marks the session as unsaved by a command before.
 *
 * @param memberOf the name of a session in its shard of what is unsaved
 */
export function createRecordScript(
  redis: Pick<RedisClient, "run" | "lieTogether">,
  recordTtlMs: number,
  memberOf: (handleHash: Buffer) => string,
): RecordScript {
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
    if (one.request !== readRequest) {
      // Before the refresh, in the same turn: a process that is killed in between leaves it behind.
      const args = [unsavedTtlMs, memberOf(one.handleHash)];
      redis.run(scripts.mark, shardKey(shardOf(one.handleHash)), args).catch(() => undefined);
    }
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

  return (handleHash, request) =>
    inSpan(
      "redis",
      scripts.advance.name,
      () => new Promise<string>((resolve, reject) => gather({ handleHash, request, resolve, reject })),
    );
}

function recordKey(handleHash: Buffer): string {
  return `session:${handleHash.toString("base64url")}`;
}
