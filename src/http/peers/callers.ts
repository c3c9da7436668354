import type { IncomingHttpHeaders } from "node:http";
import type { BlockList } from "node:net";
import { addressHolder, clientAddress } from "../../lib/ip-address.ts";

/** Who sends a request. */
export interface Caller {
  /** The caller's address, by TRUSTED_PROXIES. */
  readonly address: string;
  /** The group of addresses that shares what callers can hold; null for a proxy that does not say whose request it is. */
  readonly holder: string | null;
  /** The address at the other end of the connection: the caller's, or a proxy's. */
  readonly peerAddress: string;
}

/** Finds the caller of each request of one connection. @param forwarded what its X-Forwarded-For says */
export type FindCaller = (forwarded: string | undefined) => Caller;

/** All lines of X-Forwarded-For, joined; undefined where there is none. */
export function forwardedFor(headers: IncomingHttpHeaders): string | undefined {
  const value = headers["x-forwarded-for"];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** What does not depend on the request is found once for each connection. */
export function createFindCaller(peerAddress: string, trustedProxies: BlockList): FindCaller {
  const find = (forwarded: string | undefined): Caller => {
    const address = clientAddress(peerAddress, forwarded, trustedProxies);
    return { address, holder: addressHolder(address, trustedProxies), peerAddress };
  };
  const unnamed = find(undefined);
  const isProxy = unnamed.holder === null;
  return (forwarded) => (isProxy && forwarded !== undefined ? find(forwarded) : unnamed);
}
