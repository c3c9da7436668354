import { AppError } from "../errors/app-error.ts";
import { inSpan } from "../lib/span.ts";
import type { RedisTarget } from "../lib/redis-url.ts";
import { type Breaker, createBreaker } from "./breaker.ts";
import { connectRedis, type RedisConnection } from "./connect.ts";
import { withinDeadline } from "./deadline.ts";
import { checkConnection, probeScript } from "./check-connection.ts";
import { evaluate } from "./evaluate.ts";
import { isServerFailure } from "./server-failure.ts";
import type { RedisObserver } from "./observer.ts";
import type { RedisScript } from "./script.ts";

export type { RedisScript } from "./script.ts";

/** Redis, as far as the service needs it. It is a cache: PostgreSQL decides whether a session lives. */
export interface RedisClient {
  /** Resolves when the first connection is made, or after so long without. */
  firstConnection(withinMs: number): Promise<void>;
  /**
   * Does what callers do, on every server that holds keys: runs a script that writes a key which expires.
   *
   * @throws within the timeout if that fails, with the reason if the connection knows one
   */
  check(): Promise<void>;
  /**
   * Runs a script on its keys, which must lie together. If the server that holds them is known not to answer, it is
   * not asked.
   *
   * @param keys one or several, without the prefix that all our keys have
   * @returns what the script returns: integers as numbers, texts as strings, tables as arrays
   * @throws AppError unavailable, within the timeout, if Redis does not answer, or answers an error
   */
  run(
    script: RedisScript,
    keys: string | readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>;
  /** Whether one script can be run on all of these keys: always, but in a cluster. */
  lieTogether(keys: readonly string[]): boolean;
  close(): void;
}

/** How Redis is used. */
export interface RedisOptions {
  readonly target: RedisTarget;
  /** A file of PEM certificates to trust in place of the system's; null for the system's. */
  readonly caFile: string | null;
  /** The beginning of all keys. */
  readonly keyPrefix: string;
  /** How long a command may take. */
  readonly timeoutMs: number;
  readonly observer: RedisObserver;
}

const probeEveryMs = 250;

/**
 * Opens Redis: standalone, behind sentinels, or a cluster. The connections are made in the background, and again
 * whenever one breaks.
 *
 * @throws if the file of certificates cannot be read
 */
export function createRedis(options: RedisOptions): RedisClient {
  const { keyPrefix, timeoutMs, observer } = options;
  const connection = connectRedis(options.target, { caFile: options.caFile, timeoutMs, reconnect: true });
  const breakers = new Map<string, Breaker>();

  /** @param key one that lies on the node: the probe's lies in the same slot of a cluster */
  const breakerOf = (node: string, key: string): Breaker => {
    const known = breakers.get(node);
    if (known !== undefined) return known;
    const breaker = createBreaker({
      probe: async () => {
        await withinDeadline(
          evaluate(connection, probeScript, [`${keyPrefix}probe:{${key}}`], []),
          timeoutMs,
        );
      },
      probeEveryMs,
      onChange: (closed) => observer.onBreaker(node, closed),
    });
    breakers.set(node, breaker);
    return breaker;
  };

  return {
    firstConnection: (withinMs) => firstConnection(connection, withinMs),
    check: () => checkConnection(connection, keyPrefix, timeoutMs),
    lieTogether: (keys) => connection.lieTogether(keys.map((key) => keyPrefix + key)),
    async run(script, plainKeys, args) {
      const keys =
        typeof plainKeys === "string" ? [keyPrefix + plainKeys] : plainKeys.map((key) => keyPrefix + key);
      const [key = keyPrefix] = keys;
      const breaker = breakerOf(connection.nodeOf(key), key);
      if (!breaker.closed) throw away();
      const startedAt = performance.now();
      try {
        const result = await inSpan("redis", script.name, () =>
          withinDeadline(evaluate(connection, script, keys, args), timeoutMs),
        );
        observer.onCall((performance.now() - startedAt) / 1000, true);
        return result;
      } catch (error) {
        observer.onCall((performance.now() - startedAt) / 1000, false);
        if (isServerFailure(error)) breaker.open();
        throw away(error);
      }
    },
    close() {
      for (const breaker of breakers.values()) breaker.stop();
      connection.close();
    },
  };
}

async function firstConnection({ driver }: RedisConnection, withinMs: number): Promise<void> {
  if (driver.status === "ready") return;
  const waited = Promise.withResolvers<void>();
  const timer = setTimeout(waited.resolve, withinMs);
  driver.once("ready", waited.resolve);
  await waited.promise;
  clearTimeout(timer);
  driver.off("ready", waited.resolve);
}

function away(cause?: unknown): AppError {
  return new AppError("unavailable", "A store is not reachable at the moment.", { cause });
}
