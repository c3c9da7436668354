import type { RedisConnection } from "./connect.ts";
import { withinDeadline } from "./deadline.ts";
import { evaluate } from "./evaluate.ts";
import { readScript } from "./script.ts";

/** What callers want of a server: that a script can write. The key is gone a second later. */
export const probeScript = readScript(new URL("./probe.lua", import.meta.url));

/** Enough key names to find one on every server of a cluster. */
const tagsMax = 512;

/**
 * Does what callers do, on every server that holds keys.
 *
 * @throws within the timeout where that fails: the reason why there is no connection, where that is known
 */
export async function checkConnection(
  connection: RedisConnection,
  keyPrefix: string,
  timeoutMs: number,
): Promise<void> {
  const keys = keysOnEveryNode(connection, `${keyPrefix}probe:health`);
  const probes = keys.map((key) => evaluate(connection, probeScript, [key], []));
  try {
    await withinDeadline(Promise.all(probes), timeoutMs);
  } catch (error) {
    throw connection.driver.status === "ready" ? error : (connection.failure ?? error);
  }
}

/** One key for each server; one key where there is one server, or none is known. */
function keysOnEveryNode(connection: RedisConnection, name: string): string[] {
  const wanted = connection.nodeCount();
  const keyOf = new Map([[connection.nodeOf(name), name]]);
  for (let tag = 0; keyOf.size < wanted && tag < tagsMax; tag += 1) {
    const key = `${name}:{${tag}}`;
    const node = connection.nodeOf(key);
    if (!keyOf.has(node)) keyOf.set(node, key);
  }
  return [...keyOf.values()];
}
