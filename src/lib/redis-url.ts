/** Where a Redis is, and how it is reached. */
export interface RedisTarget {
  readonly kind: "standalone" | "sentinel" | "cluster";
  /** The server; or the sentinels, or some of the cluster's nodes, of which one must answer at the start. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** By which name the sentinels know the master; empty elsewhere. */
  readonly masterName: string;
  readonly tls: boolean;
  /** Of the servers that hold data; empty for none. */
  readonly username: string;
  readonly password: string;
  /** What sentinels ask for; empty for none. */
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
  /** 0 in a cluster. */
  readonly database: number;
}

const kinds = { redis: "standalone", "redis+sentinel": "sentinel", "redis+cluster": "cluster" } as const;
const form =
  /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)(?:\/([^/?#\s]*))?(?:\/([^/?#\s]*))?(?:\?([^#\s]*))?$/;
const sentinelParameters = new Set(["sentinel_username", "sentinel_password"]);

/**
 * Reads the address of a Redis:
 *
 *     redis://[user:password@]host[:port][/database]
 *     redis+sentinel://[user:password@]host[:port],…/master[/database][?sentinel_username=…&sentinel_password=…]
 *     redis+cluster://[user:password@]host[:port],…
 *
 * and `rediss…` for TLS. Names and passwords are percent-encoded.
 *
 * @returns null for every other text
 */
export function parseRedisUrl(text: string): RedisTarget | null {
  const [, scheme, suffix = "", login = "", hostList = "", first = "", second = "", query = ""] =
    form.exec(text) ?? [];
  if (scheme === undefined) return null;
  const kind = kinds[`redis${suffix}` as keyof typeof kinds];
  const hosts = readHosts(hostList, kind === "sentinel" ? 26_379 : 6379);
  const credentials = readCredentials(login);
  const [masterText, databaseText] = kind === "sentinel" ? [first, second] : ["", first];
  const masterName = decode(masterText);
  const database = /^\d{0,5}$/.test(databaseText) ? Number(databaseText) : null;
  const parameters = new URLSearchParams(query);
  if (hosts === null || credentials === null || masterName === null || database === null) return null;
  const isPlain = masterName === "" && second === "" && query === "";
  if (kind === "sentinel" ? masterName === "" || !onlyKnown(parameters) : !isPlain) return null;
  if (kind === "standalone" && hosts.length > 1) return null;
  if (kind === "cluster" && databaseText !== "") return null;
  return {
    kind,
    hosts,
    masterName,
    tls: scheme === "rediss",
    ...credentials,
    sentinelUsername: parameters.get("sentinel_username") ?? "",
    sentinelPassword: parameters.get("sentinel_password") ?? "",
    database,
  };
}

function readHosts(text: string, usualPort: number): RedisTarget["hosts"] | null {
  const hosts = [];
  for (const entry of text.split(",")) {
    const [, address, name, port] =
      /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
    const host = address ?? name;
    const number = port === undefined ? usualPort : Number(port);
    if (host === undefined || number < 1 || number > 65_535) return null;
    hosts.push({ host, port: number });
  }
  return hosts;
}

function readCredentials(text: string): { username: string; password: string } | null {
  const colon = text.indexOf(":");
  const username = decode(colon < 0 ? text : text.slice(0, colon));
  const password = decode(colon < 0 ? "" : text.slice(colon + 1));
  // A name alone gives no access; "redis://:password@host" is how it is written for the default user.
  if (username === null || password === null || (username !== "" && password === "")) return null;
  return { username, password };
}

function onlyKnown(parameters: URLSearchParams): boolean {
  return [...parameters.keys()].every(
    (name) => sentinelParameters.has(name) && parameters.getAll(name).length === 1,
  );
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
