import type { ConnectionTarget } from "../postgres/connection-string.ts";

/**
 * Which database an address names, for people: its name and its hosts. A part of other characters than names have is
 * not shown: of an address whose password was not escaped, it can hold a piece of that.
 */
export function describeTarget({ database, hosts }: Pick<ConnectionTarget, "database" | "hosts">): string {
  const places = hosts.map(({ host, port }) => {
    if (host.startsWith("/")) return `${plain(host)} (port ${port})`;
    return `${host.includes(":") ? `[${plain(host)}]` : plain(host)}:${port}`;
  });
  return `${plain(database)} at ${places.join(", ")}`;
}

function plain(part: string): string {
  return /^[\p{L}\p{N}_.:/-]+$/u.test(part) ? part : "(not shown)";
}
