import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";
import { trimOws } from "./http-text.ts";

/**
 * The one spelling of an address that limits, sessions, logs and the audit trail have, and that PostgreSQL's inet takes:
 * an IPv6 address by RFC 5952, an IPv4-mapped one as plain IPv4, and no zone, which has a meaning only on one
 * host.
 *
 * @returns "" for what is no address
 */
export function canonicalAddress(text: string): string {
  const [bare = ""] = text.split("%", 1);
  const family = isIP(bare);
  if (family === 0) return "";
  return family === 4 ? bare : unmapIpv4(new SocketAddress({ address: bare, family: "ipv6" }).address);
}

/**
 * An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) as plain IPv4; everything else as it is.
 *
 * @internal also for the tests
 */
export function unmapIpv4(address: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return match?.[1] ?? address;
}

/**
 * Reads a comma-separated list of addresses and CIDR ranges.
 *
 * @returns the ranges, or null if an entry is neither
 */
export function parseCidrs(text: string): BlockList | null {
  const list = new BlockList();
  for (const entry of text.split(",").map((part) => part.trim())) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const family = isIP(address);
    if (family === 0 || hasZone(address) || rest.length > 0) return null;
    const bits = family === 4 ? 32 : 128;
    if (prefix !== undefined && !(/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)) return null;
    list.addSubnet(address, prefix === undefined ? bits : Number(prefix), family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** Whether a text is one address or CIDR range, in a spelling that PostgreSQL's inet takes too. */
export function isAddressRange(text: string): boolean {
  return !/[\s,]|\/0\d/.test(text) && parseCidrs(text) !== null;
}

/**
 * The caller's address: the connection's peer, unless that is a trusted proxy; then the right-most
 * address of X-Forwarded-For that is not one itself. Anybody can have written what is left of it.
 *
 * @returns the address as canonicalAddress spells it; "" if the connection has none
 * @param peer the address at the other end of the connection
 * @param forwardedFor all X-Forwarded-For lines, joined with commas in their order
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trusted: BlockList): string {
  let address = canonicalAddress(peer);
  const hops = forwardedFor?.split(",") ?? [];
  while (isTrusted(address, trusted)) {
    const hop = readHop(trimOws(hops.pop() ?? ""));
    if (hop === null) break;
    address = hop;
  }
  return address;
}

/**
 * The part of an address that stands for one caller: all of an IPv4 address, and the first 64 bits of an IPv6
 * one, since whoever has one of these has all 2^64 (RFC 8981). Text that is no address, such as none, stands for itself.
 */
export function addressPrefix(address: string): string {
  const canonical = canonicalAddress(address);
  if (canonical === "") return address;
  return canonical.includes(":") ? `${groupsOf(canonical).slice(0, 4).join(":")}::/64` : canonical;
}

/**
 * The group of addresses that share one part of what all callers can hold: an IPv4 address alone, or the first 56 bits
 * of an IPv6 one, which is what one household or host usually gets (RFC 6177).
 *
 * @returns null for a trusted proxy, which represents callers that it does not name
 */
export function addressHolder(address: string, trusted: BlockList): string | null {
  const plain = unmapIpv4(address);
  if (isTrusted(plain, trusted)) return null;
  const prefix = addressPrefix(plain);
  // The fourth group without its last eight bits.
  return prefix.replace(/(?:^|(?<=:))([0-9a-f]{1,4})::\/64$/, (_, group: string) => {
    return `${group.length > 2 ? group.slice(0, -2) : "0"}00::/56`;
  });
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** An address as a proxy wrote it, in its canonical spelling; null if it is none. */
function readHop(text: string): string | null {
  const hop = stripPort(text);
  // A zone has a meaning only on the host that wrote it, and can be any text.
  const address = hasZone(hop) ? "" : canonicalAddress(hop);
  return address === "" ? null : address;
}

/** RFC 4007 section 11: `fe80::1%eth0`. */
function hasZone(address: string): boolean {
  return address.includes("%");
}

/** Some proxies write the port as well: `192.0.2.1:443`, `[2001:db8::1]:443`. */
function stripPort(hop: string): string {
  const match = /^\[([^\]]*)\](?::\d+)?$/.exec(hop) ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop);
  return match?.[1] ?? hop;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
  const [head = [], tail = []] = address
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const missing = Math.max(0, 8 - head.length - tail.length);
  return [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
}
