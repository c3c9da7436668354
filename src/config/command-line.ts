import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { parseEnv } from "node:util";

/** What the environment says of where commands act. An empty value counts as unset. */
export interface CommandLineConfig {
  /** COUNTERSIGN_SERVER: the address of a service. */
  readonly server: string | null;
  /** COUNTERSIGN_CONTEXT: the name of a context. */
  readonly context: string | null;
  /** COUNTERSIGN_TOKEN_FILE: a file with an access token. */
  readonly tokenFile: string | null;
  /** Whether DATABASE_URL says which stores there are. */
  readonly hasDatabase: boolean;
  /** Where contexts are kept: `countersign` under XDG_CONFIG_HOME, by default under `~/.config`; null without a home. */
  readonly folder: string | null;
}

/** Reads it. */
export function readCommandLineConfig(env: NodeJS.ProcessEnv = process.env): CommandLineConfig {
  const read = (name: string): string | null => env[name]?.trim() || null;
  // The XDG Base Directory Specification: a path that is not absolute is ignored.
  const given = read("XDG_CONFIG_HOME");
  const base = given !== null && isAbsolute(given) ? given : findConfigHome();
  return {
    server: read("COUNTERSIGN_SERVER"),
    context: read("COUNTERSIGN_CONTEXT"),
    tokenFile: read("COUNTERSIGN_TOKEN_FILE"),
    hasDatabase: read("DATABASE_URL") !== null || read("DATABASE_URL_FILE") !== null,
    folder: base === null ? null : join(base, "countersign"),
  };
}

/** Null for a user whom the system does not know, as in a container. */
function findConfigHome(): string | null {
  try {
    return join(homedir(), ".config");
  } catch {
    return null;
  }
}

/** Takes variables from a file of NAME=value lines; those that the environment has already keep their values. */
export function loadEnvFile(path: string): void {
  for (const [name, value = ""] of Object.entries(parseEnv(readFileSync(path, "utf8")))) {
    process.env[name] ??= value;
  }
}
