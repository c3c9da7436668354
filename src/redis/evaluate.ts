import type { RedisConnection } from "./connect.ts";
import type { RedisScript } from "./script.ts";

/** EVALSHA, and EVAL where the server does not know the script yet. */
export async function evaluate(
  { driver }: RedisConnection,
  { sha1, lua }: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await driver.evalsha(sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(Error.isError(error) && error.message.startsWith("NOSCRIPT"))) throw error;
    return driver.call("eval", lua, keys.length, ...keys, ...args);
  }
}
