import { randomBytes, timingSafeEqual } from "node:crypto";
import { decodeBase64Url } from "../../lib/base64.ts";
import type { SecretKey, SecretKeys } from "../key/secret-keys.ts";

/** The user whom a device token is for: it dies with `sessionEpoch`, as sessions do. */
export interface DeviceOwner {
  readonly userId: string;
  readonly sessionEpoch: string;
}

/** The tokens of devices that have signed in. They sign nobody in: they only tell a known device from others. */
export interface DeviceTokens {
  /** A new token of a device that its owner has just signed in with. */
  issue(owner: DeviceOwner): string;
  /** Whether a text is a token of ours that has not expired. No store is asked, so it may be dead all the same. */
  isGenuine(token: string): boolean;
  /** The id of a user's own living token; null for every other text. */
  read(token: string, owner: DeviceOwner): string | null;
}

const prefix = "csd_";
const version = 1;
const layout = { keyId: 1, id: 5, expiresAt: 21, genuine: 26, bound: 42, end: 58 } as const;
const tokenChars = prefix.length + Math.ceil((layout.end * 4) / 3);

/**
 * A token is `csd_` and base64url of version, key id, a random id, its expiry, and two HMAC tags of 128 bits:
 * one over what stands before it, and one over that, the user's id and the user's counter. Neither user nor
 * counter stand in it, and it is stored nowhere.
 *
 * @param deps `now`: the clock, in milliseconds since the epoch; the default is the process's
 */
export function createDeviceTokens(deps: {
  readonly secretKeys: SecretKeys;
  readonly ttlMs: number;
  readonly now?: () => number;
}): DeviceTokens {
  const { secretKeys, ttlMs, now = Date.now } = deps;

  /** The bytes of a genuine token and its key. */
  const open = (token: string): { readonly bytes: Buffer; readonly key: SecretKey } | null => {
    // Limits ask before the rules of the contract: the token can be any text still.
    const hasForm = token.length === tokenChars && token.startsWith(prefix);
    const bytes = hasForm ? decodeBase64Url(token.slice(prefix.length)) : null;
    if (bytes?.length !== layout.end) return null;
    const key = secretKeys.find(bytes.subarray(layout.keyId, layout.id).toString("hex"));
    if (bytes[0] !== version || key === null) return null;
    if (!timingSafeEqual(bytes.subarray(layout.genuine, layout.bound), genuineTag(key, bytes))) return null;
    const expiresAt = bytes.readUIntBE(layout.expiresAt, 5) * 1000;
    return expiresAt > now() ? { bytes, key } : null;
  };

  return {
    issue(owner) {
      const key = secretKeys.current;
      const bytes = Buffer.alloc(layout.end);
      bytes[0] = version;
      bytes.write(key.id, layout.keyId, "hex");
      randomBytes(layout.expiresAt - layout.id).copy(bytes, layout.id);
      bytes.writeUIntBE(Math.floor((now() + ttlMs) / 1000), layout.expiresAt, 5);
      genuineTag(key, bytes).copy(bytes, layout.genuine);
      boundTag(key, bytes, owner).copy(bytes, layout.bound);
      return prefix + bytes.toString("base64url");
    },
    isGenuine: (token) => open(token) !== null,
    read(token, owner) {
      const opened = open(token);
      if (opened === null) return null;
      const { bytes, key } = opened;
      if (!timingSafeEqual(bytes.subarray(layout.bound), boundTag(key, bytes, owner))) return null;
      return bytes.subarray(layout.id, layout.expiresAt).toString("base64url");
    },
  };
}

function genuineTag(key: SecretKey, bytes: Buffer): Buffer {
  return tagOf(key, bytes.subarray(0, layout.genuine), "");
}

function boundTag(key: SecretKey, bytes: Buffer, { userId, sessionEpoch }: DeviceOwner): Buffer {
  return tagOf(key, bytes.subarray(0, layout.bound), `${userId} ${sessionEpoch}`);
}

function tagOf(key: SecretKey, head: Buffer, owner: string): Buffer {
  return key
    .mac("device-token")(head, owner)
    .subarray(0, layout.bound - layout.genuine);
}
