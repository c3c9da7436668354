import {
  type Metadata,
  type Server,
  type ServerInterceptor,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type ServiceDefinition,
  status,
  type StatusObject,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type AccessOption, type AccessRule, readAccessOption } from "../access-rule.ts";
import type { AccessToken } from "../access-token.ts";
import type { Verifier } from "../verifier.ts";
import { type RefusalKind, VerifyError } from "../verify-error.ts";

/** The services that a server of @grpc/grpc-js guards. */
export interface GrpcGuard {
  /** For the server's options: `new Server({ interceptors: [guard.interceptor] })`. */
  readonly interceptor: ServerInterceptor;
  /**
   * Registers a service whose RPCs say who may call them: by `option (countersign.v1.access)`, read by
   * @grpc/proto-loader, or by `rules`, with an entry for each RPC.
   *
   * @throws Error where an RPC has no rule
   */
  addService(
    server: Server,
    service: ServiceDefinition,
    implementation: UntypedServiceImplementation,
    rules?: Readonly<Record<string, AccessRule>>,
  ): void;
}

const codes: Record<RefusalKind, status> = {
  unauthenticated: status.UNAUTHENTICATED,
  denied: status.PERMISSION_DENIED,
  unavailable: status.UNAVAILABLE,
};

const callers = new WeakMap<Metadata, AccessToken>();

/** Guards the RPCs of a server. An RPC that was not registered by the guard is refused: silence means no. */
export function createGrpcGuard(verifier: Verifier): GrpcGuard {
  const rules = new Map<string, AccessRule>();

  const authorize = async (path: string, metadata: Metadata): Promise<void> => {
    const rule = rules.get(path);
    if (rule === undefined) throw new VerifyError("no_rule");
    const [first, ...more] = metadata.get("authorization");
    if (more.length > 0) throw new VerifyError("malformed");
    const caller = await verifier.authorize(first?.toString(), rule);
    if (caller !== null) callers.set(metadata, caller);
  };

  return {
    interceptor: (method, call) =>
      new ServerInterceptingCall(call, {
        start(next) {
          const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, pass) => {
            authorize(method.path, metadata).then(
              () => pass(metadata),
              (error: unknown) => call.sendStatus(presentStatus(error)),
            );
          });
          next(listener.build());
        },
      }),
    addService(server, service, implementation, given = {}) {
      for (const [name, { path, ...definition }] of Object.entries(service)) {
        rules.set(path, given[name] ?? readAccessOption(path.slice(1), findOption(definition)));
      }
      server.addService(service, implementation);
    },
  };
}

/**
 * Whose call it is.
 *
 * @throws Error where the RPC admits anyone
 */
export function callerOf(call: { readonly metadata: Metadata }): AccessToken {
  const caller = callers.get(call.metadata);
  if (caller === undefined) throw new Error("This RPC does not ask for a token.");
  return caller;
}

/** @grpc/proto-loader names an option as the proto spells it. */
function findOption(definition: object): AccessOption | undefined {
  const options = "options" in definition ? (definition.options as Record<string, unknown>) : {};
  return (options["(countersign.v1.access)"] ?? options["(.countersign.v1.access)"]) as
    | AccessOption
    | undefined;
}

function presentStatus(error: unknown): Pick<StatusObject, "code" | "details"> {
  return error instanceof VerifyError
    ? { code: codes[error.kind], details: error.message }
    : { code: status.INTERNAL, details: "The token could not be checked." };
}
