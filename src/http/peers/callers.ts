import type { IncomingHttpHeaders } from "node:http";
import type { BlockList } from "node:net";
import { joinLines } from "../../lib/http-text.ts";
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
  return joinLines(headers["x-forwarded-for"]);
}

/** What finds the callers of a connection. @param peerAddress the address at its other end */
export type CallersOf = (peerAddress: string) => FindCaller;

/** Callers behind proxies are remembered by the header field that names them, unless it is long. */
const keptMax = 4_096;
const keptCharsMax = 128;

/** What does not depend on the request is found once for each connection. */
export function createCallersOf(trustedProxies: BlockList): CallersOf {
  const kept = new Map<string, Caller>();
  const find = (peerAddress: string, forwarded: string | undefined): Caller => {
    const address = clientAddress(peerAddress, forwarded, trustedProxies);
    return { address, holder: addressHolder(address, trustedProxies), peerAddress };
  };
  const findBehind = (proxy: string, forwarded: string): Caller => {
    const key = `${proxy} ${forwarded}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const caller = find(proxy, forwarded);
    if (forwarded.length > keptCharsMax) return caller;
    if (kept.size >= keptMax) kept.clear();
    kept.set(key, caller);
    return caller;
  };
  return (peerAddress) => {
    const unnamed = find(peerAddress, undefined);
    if (unnamed.holder !== null) return () => unnamed;
    return (forwarded) => (forwarded === undefined ? unnamed : findBehind(peerAddress, forwarded));
  };
}
