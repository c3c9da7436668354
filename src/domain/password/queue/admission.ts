/**
 * The part of the queue that a caller waits in. `known_device`: somebody who has signed in on this device
 * before. A share of the queue is kept for them, and while both wait they take every other turn, so that
 * no flood of strangers keeps them out.
 */
export type Lane = "known_device" | "usual";

/** Whom a password hash is for, as far as the queue has to know. */
export interface Admission {
  /**
   * Callers with the same key share one turn: the prefix of an address, or a device. It is never shown
   * to anybody.
   */
  readonly key: string;
  readonly lane: Lane;
  /** A caller who has gone leaves the queue at once. */
  readonly signal?: AbortSignal;
  /** When the caller's own deadline passes, by `performance.now()`; left out for none. */
  readonly expiresAt?: number;
}

/** Whom a login is admitted as: a known device takes turns for itself, whoever shares its address. */
export function admitAs(lane: Lane, admission: Admission, deviceId: string | null): Admission {
  return lane === "known_device" && deviceId !== null ? { ...admission, lane, key: deviceId } : admission;
}

/** For what no caller waits for: commands, and the first user. */
export const ownWork: Admission = { key: "", lane: "usual" };

/** Why a hash was not admitted. */
export type RefusalCause = "queue_full" | "share" | "deadline" | "cancelled";

/**
 * Why no password can be compared with a stored hash: its form or cost is unknown, the pepper that it was made with is
 * gone, or the implementation refuses it.
 */
export type UnreadableCause = "form" | "pepper" | "refused";
