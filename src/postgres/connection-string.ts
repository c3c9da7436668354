import { userInfo } from "node:os";

/** One place to connect to: a host name, an address, or the folder of a Unix socket. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

/** libpq's sslmode, without `allow`. */
export type TlsMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

/** How the connection is protected; the files are paths. */
export interface TlsSettings {
  readonly mode: TlsMode;
  /** PEM of the authorities; null for those that come with Node. */
  readonly rootCertFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** Which server is the right one (libpq's target_session_attrs). */
export type TargetSessionAttrs = "any" | "read-write" | "read-only" | "primary" | "standby";

/** A database to connect to. Holds the password: not for logs. */
export interface ConnectionTarget {
  /** At least one; tried in order until one accepts and is the right one. */
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  readonly tls: TlsSettings;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly applicationName: string;
  /** libpq's `options`, command-line settings for the session, such as `-c search_path=id`. */
  readonly serverOptions: string | null;
  /** For each host; null leaves it to the pool. */
  readonly connectTimeoutMs: number | null;
}

const tlsModes: readonly TlsMode[] = ["disable", "prefer", "require", "verify-ca", "verify-full"];
const sessionAttrs: readonly TargetSessionAttrs[] = ["any", "read-write", "read-only", "primary", "standby"];
const parameterNames = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "channel_binding",
  "target_session_attrs",
  "application_name",
  "connect_timeout",
  "options",
];
const defaultPort = 5432;

/**
 * Reads a database's address as libpq does (PostgreSQL documentation, "Connection URIs"), with several
 * hosts for failover and Unix sockets as hosts:
 * `postgres://user:password@h1:5432,h2:5433/database?sslmode=verify-full&sslrootcert=/ca.pem`.
 * Defaults: port 5432, sslmode prefer, target_session_attrs read-write (libpq: any), the user of the
 * operating system, a database named like the user, host localhost.
 *
 * @throws Error with a sentence for the operator that shows nothing of the address, since a password
 *   with an unescaped character can end up in any part of it
 */
export function parseDatabaseUrl(url: string): ConnectionTarget {
  const match = /^postgres(?:ql)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url);
  if (match === null) {
    throw new Error("DATABASE_URL does not begin with postgres:// or postgresql://.");
  }
  const [, authority = "", path = "", query = ""] = match;
  const parameters = parseParameters(query);
  const at = authority.lastIndexOf("@");
  const login = parseLogin(at < 0 ? "" : authority.slice(0, at));
  const user = parameters.get("user") ?? login.user ?? userInfo().username;
  return {
    hosts: parseHosts(authority.slice(at + 1), parameters),
    user,
    password: parameters.get("password") ?? login.password,
    database: parameters.get("dbname") ?? (decode(path, "database") || user),
    tls: parseTls(parameters),
    targetSessionAttrs: parseChoice(parameters, "target_session_attrs", sessionAttrs) ?? "read-write",
    applicationName: parameters.get("application_name") ?? "countersign",
    serverOptions: parameters.get("options") ?? null,
    connectTimeoutMs: parseConnectTimeout(parameters.get("connect_timeout")),
  };
}

function parseParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((text) => text !== "")) {
    const [name = "", value, ...rest] = pair.split("=");
    if (value === undefined || rest.length > 0) {
      throw new Error("DATABASE_URL has a parameter that is not of the form name=value.");
    }
    if (!parameterNames.includes(name)) {
      throw new Error(`DATABASE_URL has an unknown parameter; known are ${parameterNames.join(", ")}.`);
    }
    if (parameters.has(name)) {
      throw new Error(`DATABASE_URL has the parameter ${name} twice.`);
    }
    if (value !== "") {
      parameters.set(name, decode(value, name));
    }
  }
  return parameters;
}

function parseLogin(text: string): { user: string | null; password: string | null } {
  const colon = text.indexOf(":");
  const user = decode(colon < 0 ? text : text.slice(0, colon), "user");
  const password = colon < 0 ? "" : decode(text.slice(colon + 1), "password");
  return { user: user === "" ? null : user, password: password === "" ? null : password };
}

function parseHosts(text: string, parameters: ReadonlyMap<string, string>): Host[] {
  const listed = text === "" ? [] : text.split(",").map(splitHost);
  const named =
    parameters
      .get("host")
      ?.split(",")
      .map((host) => ({ host, port: "" })) ?? listed;
  const hosts = named.length === 0 ? [{ host: "", port: "" }] : named;
  const ports = parameters.get("port")?.split(",") ?? [];
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new Error("DATABASE_URL has a different number of ports than of hosts.");
  }
  return hosts.map(({ host, port }, index) => ({
    host: host === "" ? "localhost" : host,
    port: parsePort(ports[ports.length === 1 ? 0 : index] ?? port),
  }));
}

function splitHost(text: string): { host: string; port: string } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]*))(?::([^:]*))?$/s.exec(text);
  if (match === null) {
    throw new Error("DATABASE_URL has a host that cannot be read; write an IPv6 address in brackets.");
  }
  return { host: match[1] ?? decode(match[2] ?? "", "host"), port: match[3] ?? "" };
}

function parsePort(text: string): number {
  const port = text === "" ? defaultPort : /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new Error(
      "DATABASE_URL has a port that is not a number from 1 to 65535; a special character in the password must be percent-encoded.",
    );
  }
  return port;
}

function parseTls(parameters: ReadonlyMap<string, string>): TlsSettings {
  // pg can bind to the channel, but cannot require it, so the service could not keep that promise.
  if (parameters.get("channel_binding") === "require") {
    throw new Error(
      "DATABASE_URL asks for channel_binding=require, which is not supported: use sslmode=verify-full.",
    );
  }
  parseChoice(parameters, "channel_binding", ["disable", "prefer"]);
  const rootCert = parameters.get("sslrootcert") ?? null;
  const mode = parseChoice(parameters, "sslmode", tlsModes) ?? "prefer";
  return {
    // libpq: with a root certificate, require verifies the chain too.
    mode: mode === "require" && rootCert !== null ? "verify-ca" : mode,
    rootCertFile: rootCert === "system" ? null : rootCert,
    certFile: parameters.get("sslcert") ?? null,
    keyFile: parameters.get("sslkey") ?? null,
  };
}

function parseChoice<Choice extends string>(
  parameters: ReadonlyMap<string, string>,
  name: string,
  choices: readonly Choice[],
): Choice | null {
  const value = parameters.get(name);
  const choice = choices.find((candidate) => candidate === value);
  if (value !== undefined && choice === undefined) {
    throw new Error(`DATABASE_URL has a wrong ${name}; it is one of ${choices.join(", ")}.`);
  }
  return choice ?? null;
}

/** Whole seconds; 0 means no limit to libpq, and here the pool's own. */
function parseConnectTimeout(text: string | undefined): number | null {
  if (text !== undefined && !/^\d{1,4}$/.test(text)) {
    throw new Error("DATABASE_URL has a connect_timeout that is not a number of seconds.");
  }
  return text === undefined || Number(text) === 0 ? null : Number(text) * 1000;
}

function decode(text: string, part: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes("\0")) {
      return decoded;
    }
  } catch {
    // Falls through to the sentence below: the URIError says nothing more.
  }
  throw new Error(`DATABASE_URL has a ${part} with a wrong percent-encoding.`);
}
