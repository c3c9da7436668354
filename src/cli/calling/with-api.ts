import type { Client, Transport } from "@connectrpc/connect";
import type { Message } from "@bufbuild/protobuf";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { ClientService } from "../../gen/countersign/v1/clients_pb.ts";
import type { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import type { RoleService } from "../../gen/countersign/v1/roles_pb.ts";
import type { UserService } from "../../gen/countersign/v1/users_pb.ts";
import type { CommandInput, ExitCode } from "../command.ts";
import { endOnSignal } from "../end-on-signal.ts";
import { printError } from "../output.ts";
import { withCore } from "../with-core.ts";
import { chooseTarget, type Target } from "./target.ts";

/** The services of the contract, wherever they are answered, and how their messages are written. */
export interface Api {
  readonly auth: Client<typeof AuthService>;
  readonly users: Client<typeof UserService>;
  readonly clients: Client<typeof ClientService>;
  readonly roles: Client<typeof RoleService>;
  readonly keys: Client<typeof KeyService>;
  /** A message as REST shows it. */
  toJson(message: Message): Record<string, unknown>;
  /** Whom the access token is for; null for an operator at the stores. */
  caller(): Promise<Caller | null>;
}

/** A user or a client, by their id. */
export interface Caller {
  readonly kind: "user" | "client";
  readonly id: string;
}

/**
 * Runs a command on a service or on the stores, as its options say, and prints on standard error which. What that takes is
 * loaded here and not before, so that help and wrong usage are answered at once.
 *
 * @throws UsageError, AppError, Error with a sentence
 */
export async function withApi(input: CommandInput, use: (api: Api) => Promise<ExitCode>): Promise<ExitCode> {
  const target = await chooseTarget(input);
  if (target.kind === "stores") {
    const { createCallsHere } = await import("../../app/call-here.ts");
    return withCore(async (core) => use(await createApi(createCallsHere(core), () => Promise.resolve(null))));
  }
  endOnSignal();
  printError(`Server: ${describeTarget(target)}`);
  const [{ connectTo }, { tokensOfContext, tokensOfFile }] = await Promise.all([
    import("./connect-to.ts"),
    import("./access-tokens.ts"),
  ]);
  const { address } = target;
  const tokens =
    target.kind === "token"
      ? tokensOfFile(target.tokenFile)
      : tokensOfContext(target.contexts, target.name, await connectTo(address, null));
  const caller = async (): Promise<Caller> => readCaller(await tokens.current());
  return use(await createApi(await connectTo(address, tokens), caller));
}

function describeTarget(target: Exclude<Target, { readonly kind: "stores" }>): string {
  const { server } = target.address;
  if (target.kind === "token") return `${server}, with the token of ${target.tokenFile}`;
  return `${server}, as ${target.username} (context ${target.name})`;
}

async function createApi(transport: Transport, caller: Api["caller"]): Promise<Api> {
  const [{ createClient }, auth, users, clients, roles, keys, { createMessageJson }] = await Promise.all([
    import("@connectrpc/connect"),
    import("../../gen/countersign/v1/auth_pb.ts"),
    import("../../gen/countersign/v1/users_pb.ts"),
    import("../../gen/countersign/v1/clients_pb.ts"),
    import("../../gen/countersign/v1/roles_pb.ts"),
    import("../../gen/countersign/v1/keys_pb.ts"),
    import("./message-json.ts"),
  ]);
  return {
    auth: createClient(auth.AuthService, transport),
    users: createClient(users.UserService, transport),
    clients: createClient(clients.ClientService, transport),
    roles: createClient(roles.RoleService, transport),
    keys: createClient(keys.KeyService, transport),
    toJson: createMessageJson([
      auth.file_countersign_v1_auth,
      users.file_countersign_v1_users,
      clients.file_countersign_v1_clients,
      roles.file_countersign_v1_roles,
      keys.file_countersign_v1_keys,
    ]),
    caller,
  };
}

/** Whom a token of one's own is for: nobody has to verify it for that. @throws Error where it is no JWT */
function readCaller(token: string): Caller {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (typeof claims === "object" && claims !== null && "sub" in claims && typeof claims.sub === "string") {
      return { kind: "sid" in claims ? "user" : "client", id: claims.sub };
    }
  } catch {
    // As for a JWT without a subject.
  }
  throw new Error("The access token is none of this service: it is no JWT with a subject.");
}
