import type { Config } from "../config/config.ts";

/**
 * An error of a listener that could not take its port, as a sentence that names the variable to set;
 * any other error as it is.
 */
export function explainListenError(
  error: unknown,
  config: Pick<Config, "port" | "opsPort" | "host">,
): unknown {
  if (!Error.isError(error) || !("syscall" in error) || !("code" in error)) return error;
  const sentence = sentenceOf(
    String(error.syscall),
    String(error.code),
    "port" in error ? error.port : null,
    config,
  );
  return sentence === null ? error : new Error(sentence, { cause: error });
}

function sentenceOf(
  syscall: string,
  code: string,
  port: unknown,
  config: Pick<Config, "port" | "opsPort" | "host">,
): string | null {
  const isListening = syscall === "listen" || syscall === "bind";
  const variable = port === config.opsPort ? "OPS_PORT" : "PORT";
  if (isListening && code === "EADDRINUSE") {
    return `Port ${String(port)} is in use by another program: set ${variable} to a free one, or end that program.`;
  }
  if (isListening && code === "EACCES") {
    return `Port ${String(port)} needs more rights than this user has: set ${variable} to one above 1023.`;
  }
  const host = variable === "PORT" ? "HOST" : "OPS_HOST";
  // HOST is a name that cannot be resolved, or another machine's address.
  const isHost = code === "EADDRNOTAVAIL" || (syscall === "getaddrinfo" && code === "ENOTFOUND");
  return isHost
    ? `${host} is not an address of this machine. Use 0.0.0.0 or :: for all of its addresses.`
    : null;
}
