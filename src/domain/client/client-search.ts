/** What clients can be listed by. */
export type ClientOrder = "client_id" | "created_at";

/** Which clients are asked for: those that meet every condition that is set. */
export interface ClientSearch {
  readonly order: ClientOrder;
  readonly descending: boolean;
  /** A scope that they may ask for; null for any. */
  readonly scope: string | null;
  /** Bounds of what the order is by; null for none. Of ids both belong to it, of times the lower does. */
  readonly from: string | null;
  readonly to: string | null;
}

/** A client's place in a list: what the order is by, and the id. */
export type ClientPosition = readonly [key: string, id: string];
