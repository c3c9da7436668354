import { resolve } from "node:path";
import { type CommandLineConfig, readCommandLineConfig } from "../../config/command-line.ts";
import { type CommandInput, hasOption, stringOption, UsageError } from "../command.ts";
import { type Contexts, openContexts } from "./contexts.ts";
import type { ServerAddress } from "./connect-to.ts";
import { readServerUrl } from "./server-url.ts";

/** The options of every command that acts on a service, or on its stores. */
export const targetOptions = {
  server: { value: "URL", help: "act on the service there", isOfTarget: true },
  "token-file": { value: "FILE", help: "with the access token in this file", isOfTarget: true },
  context: { value: "NAME", help: "act as one has signed in under this name", isOfTarget: true },
  "ca-file": { value: "FILE", help: "verify the service with these certificates (PEM)", isOfTarget: true },
  "allow-http": { help: "send tokens over plain http to another machine, too", isOfTarget: true },
  local: { help: "act on the stores: DATABASE_URL and SECRET_KEY", isOfTarget: true },
} as const;

/** What a command acts on. */
export type Target =
  | { readonly kind: "stores" }
  | { readonly kind: "token"; readonly tokenFile: string; readonly address: ServerAddress }
  | {
      readonly kind: "context";
      readonly name: string;
      readonly username: string;
      readonly contexts: Contexts;
      readonly address: ServerAddress;
    };

/**
 * Decides what a command acts on: what its options say, else what the environment says, else the current context, and
 * without one the stores.
 *
 * @throws UsageError where options contradict each other, or nothing says which of two is meant
 */
export async function chooseTarget(input: CommandInput): Promise<Target> {
  const environment = readCommandLineConfig();
  if (hasOption(input, "local")) {
    const other = ["server", "token-file", "context", "ca-file", "allow-http"].find(
      (name) => name in input.options,
    );
    if (other === undefined) return { kind: "stores" };
    throw new UsageError(`--local acts on the stores, and --${other} on a service.`);
  }
  const { server: address, tokenFile, context } = readAsked(input, environment);
  const server = address === null ? null : readServerUrl(address, hasOption(input, "allow-http"));
  if (tokenFile !== null) {
    if (server === null) throw new UsageError("A token file needs --server: a token is for one service.");
    return { kind: "token", tokenFile, address: { server, caFile: caFileOf(input) } };
  }
  const contexts = openContexts(environment.folder);
  const name = context ?? (await findName(contexts, server));
  if (name === null) return { kind: "stores" };
  if (context === null && server === null && environment.hasDatabase) {
    throw new UsageError(
      `DATABASE_URL is set, and you have signed in as the context ${name}: say which is meant by --local or --context.`,
    );
  }
  return withContext(input, contexts, name, server);
}

interface Asked {
  readonly server: string | null;
  readonly tokenFile: string | null;
  readonly context: string | null;
}

/** A token of the environment is never sent to another server than the environment's. */
function readAsked(input: CommandInput, environment: CommandLineConfig): Asked {
  const [server, tokenFile, context] = ["server", "token-file", "context"].map(
    (name) => stringOption(input, name) ?? null,
  ) as [string | null, string | null, string | null];
  if (context !== null) {
    if (tokenFile !== null) throw new UsageError("Give either --context or --token-file.");
    return { server, tokenFile, context };
  }
  const isElsewhere = server !== null && environment.server !== null;
  return {
    server: server ?? environment.server,
    tokenFile: tokenFile ?? (isElsewhere ? null : environment.tokenFile),
    context: server === null && tokenFile === null ? environment.context : null,
  };
}

/** The name of the context for a server; with no server, of the current one. */
async function findName(contexts: Contexts, server: string | null): Promise<string | null> {
  const current = await contexts.current();
  if (server === null) return current;
  const names: string[] = [];
  for (const name of await contexts.list()) {
    if ((await contexts.find(name))?.server === server) names.push(name);
  }
  const [only] = names;
  if (only === undefined) {
    throw new Error(
      `You have not signed in to ${server}: run "countersign login --server ${server}", or give --token-file.`,
    );
  }
  if (current !== null && names.includes(current)) return current;
  if (names.length === 1) return only;
  throw new UsageError(
    `You have signed in there as ${names.join(" and as ")}: say which is meant by --context.`,
  );
}

async function withContext(
  input: CommandInput,
  contexts: Contexts,
  name: string,
  server: string | null,
): Promise<Target> {
  const context = await contexts.find(name);
  if (context === null) {
    throw new Error(`There is no context ${name}: "countersign context list" shows those there are.`);
  }
  if (server !== null && server !== context.server) {
    throw new UsageError(
      `The context ${name} is for ${context.server}: leave --server out, or name another context.`,
    );
  }
  const address = { server: context.server, caFile: caFileOf(input) ?? context.caFile };
  return { kind: "context", name, username: context.username, contexts, address };
}

/** The file of --ca-file with its whole path, for a context that is used from another folder. */
export function caFileOf(input: CommandInput): string | null {
  const path = stringOption(input, "ca-file");
  return path === undefined ? null : resolve(path);
}
