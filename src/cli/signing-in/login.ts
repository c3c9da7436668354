import { createInterface } from "node:readline/promises";
import type { TokenResponse } from "../../gen/countersign/v1/auth_pb.ts";
import { readCommandLineConfig } from "../../config/command-line.ts";
import { AppError } from "../../errors/app-error.ts";
import type { ServerAddress } from "../calling/connect-to.ts";
import { checkContextName, type Context, type Contexts, openContexts } from "../calling/contexts.ts";
import { readServerUrl } from "../calling/server-url.ts";
import { caFileOf } from "../calling/target.ts";
import {
  type Command,
  type CommandInput,
  hasOption,
  jsonOption,
  stringOption,
  UsageError,
} from "../command.ts";
import { endOnSignal } from "../end-on-signal.ts";
import { printError, printJson, printLine } from "../output.ts";
import { readPassword, readPasswordFile } from "../read-password.ts";

/** `countersign login`. */
export const loginCommand: Command = {
  name: "login",
  operands: [],
  summary: "sign in to a service, so that commands act on it",
  details: [
    "On a terminal it asks for the name and the password. Otherwise the password is all of",
    "standard input, without the line break at its end. The tokens are kept in a file that its",
    "owner alone may read. A client signs in for itself with --client and its secret, for as",
    "long as its token lives.",
    "",
    "  countersign login --server https://id.example.org --username alice",
  ],
  options: {
    server: { value: "URL", help: "the address of the service" },
    username: { value: "NAME", help: "your name or address" },
    client: { value: "ID", help: "sign in as this client; the secret is read as a password is" },
    scope: { value: "SCOPE", help: "the scopes of the token, separated by spaces" },
    "password-file": { value: "FILE", help: "read the password or the secret from this file" },
    context: { value: "NAME", help: "keep it under this name; by default the name of the host" },
    "ca-file": { value: "FILE", help: "verify the service with these certificates (PEM)" },
    "allow-http": { help: "send the password over plain http to another machine, too" },
    ...jsonOption,
  },
  async run(input) {
    const environment = readCommandLineConfig();
    const contexts = openContexts(environment.folder);
    const earlier = await findEarlier(input, contexts);
    const address = readAddress(input, environment.server, earlier);
    const name = checkContextName(stringOption(input, "context") ?? nameOf(address.server));
    const clientId = stringOption(input, "client");
    const username =
      clientId ?? stringOption(input, "username") ?? earlier?.username ?? (await ask("Name: "));
    const path = stringOption(input, "password-file");
    const secret = path === undefined ? await readPassword(false) : await readPasswordFile(path);
    endOnSignal();
    printError(`Server: ${address.server}`);
    const scope = stringOption(input, "scope") ?? "";
    const answer = await signIn(address, { username, secret, scope, isClient: clientId !== undefined });
    const { readTokens } = await import("../calling/access-tokens.ts");
    await contexts.alone(name, () => contexts.save(name, { ...address, username, ...readTokens(answer) }));
    await contexts.use(name);
    if (hasOption(input, "json")) printJson({ context: name, server: address.server, username });
    else printLine(`signed in as ${username}: commands act on ${address.server} (context ${name})`);
    return 0;
  },
};

type Address = ServerAddress & Pick<Context, "allowsHttp">;

/** What one signed in with before under the name that is given; of a service, whatever its name. */
async function findEarlier(input: CommandInput, contexts: Contexts): Promise<Context | null> {
  const name =
    stringOption(input, "context") ??
    (input.options["server"] === undefined ? await contexts.current() : null);
  return name === null ? null : contexts.find(name);
}

function readAddress(input: CommandInput, server: string | null, earlier: Context | null): Address {
  const given = stringOption(input, "server") ?? (earlier === null ? server : null);
  if (given === null) {
    if (earlier === null) {
      throw new UsageError("Say which service: --server https://id.example.org, for example.");
    }
    const { caFile, allowsHttp } = earlier;
    return { server: earlier.server, caFile: caFileOf(input) ?? caFile, allowsHttp };
  }
  const allowsHttp = hasOption(input, "allow-http");
  return { server: readServerUrl(given, allowsHttp), caFile: caFileOf(input), allowsHttp };
}

function nameOf(server: string): string {
  return new URL(server).hostname.replaceAll(/[^a-z0-9.-]/gi, "").replace(/^[^a-z0-9]+/i, "") || "default";
}

interface SignIn {
  readonly username: string;
  readonly secret: string;
  readonly scope: string;
  readonly isClient: boolean;
}

async function signIn(
  address: Address,
  { username, secret, scope, isClient }: SignIn,
): Promise<TokenResponse> {
  const [{ createClient }, { connectTo }, auth, token] = await Promise.all([
    import("@connectrpc/connect"),
    import("../calling/connect-to.ts"),
    import("../../gen/countersign/v1/auth_pb.ts"),
    import("../../gen/countersign/v1/token_pb.ts"),
  ]);
  const transport = await connectTo(address, null);
  if (isClient) {
    const request = { grantType: "client_credentials", clientId: username, clientSecret: secret, scope };
    return createClient(token.TokenService, transport).issueToken(request);
  }
  try {
    return await createClient(auth.AuthService, transport).login({ username, password: secret, scope });
  } catch (error) {
    if (!(error instanceof AppError) || error.reason !== "password_change_required") throw error;
    throw new Error(`${error.message} Change it where you usually sign in, and come back.`, { cause: error });
  }
}

async function ask(question: string): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw new UsageError("Say who signs in: --username NAME, or --client ID.");
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = Promise.withResolvers<never>();
  lines.once("close", () => closed.reject(new Error("No name was typed.")));
  try {
    return await Promise.race([lines.question(question), closed.promise]);
  } finally {
    closed.promise.catch(() => undefined);
    lines.close();
  }
}
