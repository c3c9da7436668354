import type { ConnectionTarget } from "../postgres/connection-string.ts";

/** Which database an address names, for people: its name and its hosts, and nothing secret. */
export function describeTarget({ database, hosts }: Pick<ConnectionTarget, "database" | "hosts">): string {
  const places = hosts.map(({ host, port }) =>
    host.startsWith("/") ? `${host} (port ${port})` : `${host.includes(":") ? `[${host}]` : host}:${port}`,
  );
  return `${database} at ${places.join(", ")}`;
}
