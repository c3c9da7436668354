import { type Config, type ExaminedConfig, examineConfig } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { parseDatabaseUrl } from "../postgres/connection-string.ts";

/**
 * Reads the environment for a service or a command.
 *
 * @throws ConfigError with every problem at once
 */
export function readConfig(env?: NodeJS.ProcessEnv): Config {
  return requireGood(examineStart(env));
}

/** @throws ConfigError with every problem at once */
export function requireGood({ config, problems }: ExaminedConfig): Config {
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Reads the environment and tells what is wrong with it, inside the addresses as well. */
export function examineStart(env?: NodeJS.ProcessEnv): ExaminedConfig {
  const examined = examineConfig(env);
  const { url } = examined.config.database;
  const problem = url === null ? null : databaseUrlProblem(url);
  if (problem === null) return examined;
  return {
    ...examined,
    problems: [...examined.problems, problem],
    broken: new Set([...examined.broken, "DATABASE_URL"]),
  };
}

function databaseUrlProblem(url: string): string | null {
  try {
    parseDatabaseUrl(url);
    return null;
  } catch (error) {
    return Error.isError(error) ? error.message : "DATABASE_URL is malformed.";
  }
}
