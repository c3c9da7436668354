import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";

/** A Lua script. Its keys must lie in one slot, so that it works in a Redis Cluster as well. */
export interface RedisScript {
  /** The name of its file, for traces. */
  readonly name: string;
  readonly lua: string;
  /** Its name in Redis: the SHA-1 of its text. */
  readonly sha1: string;
}

/** Reads a script that lies beside the store which runs it. @throws if there is no such file */
export function readScript(file: URL): RedisScript {
  const lua = readFileSync(file, "utf8");
  return { name: basename(file.pathname, ".lua"), lua, sha1: createHash("sha1").update(lua).digest("hex") };
}
