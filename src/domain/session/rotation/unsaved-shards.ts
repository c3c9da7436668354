/** How many sorted sets the unsaved sessions are spread over, so that the nodes of a cluster share them. */
export const unsavedShards = 16;

/** The key of a set. */
export function shardKey(shard: number): string {
  return `unsaved:${shard}`;
}

/** The set that a session lies in. */
export function shardOf(handleHash: Buffer): number {
  return handleHash.readUInt8(0) % unsavedShards;
}
