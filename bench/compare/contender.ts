import type { Load } from "./load.ts";
import type { ProcessTree } from "../processes.ts";

/** The calls that are measured, with what each is. */
export const calls = {
  login: "sign in with a password (Argon2id m=19456 t=2 p=1)",
  refresh: "refresh, the token replaced",
  introspectHot: "introspect one access token again and again",
  introspectOnce: "introspect each access token once",
  clientCredentials: "client credentials grant",
  me: "GET /auth/me (or the like), one token",
  jwksRest: "JWK set, REST",
  jwksConnect: "JWK set, Connect",
  jwksGrpcWeb: "JWK set, gRPC-Web",
  introspectConnect: "introspect one token, Connect",
  introspectGrpcWeb: "introspect one token, gRPC-Web",
  introspectGrpc: "introspect one token, gRPC",
  listUsers: "GET /admin/users, a page of 50",
  searchUsers: "GET /admin/users, 50 by a prefix of their names",
  livez: "GET /livez (or a bare answer)",
} as const;

/** The name of a call. */
export type CallName = keyof typeof calls;

/** What takes part: `ours`, a `floor` (it only answers), the `least` service that does the job, a `peer`. */
export type Kind = "ours" | "floor" | "least" | "peer";

/** A running server with what it is asked. */
export interface Contender {
  readonly name: string;
  readonly kind: Kind;
  readonly port: number;
  readonly processes: ProcessTree;
  /** The loads that it can bear; a call that is missing it does not know. */
  readonly loads: Readonly<Partial<Record<CallName, Load>>>;
  stop(): Promise<void>;
}

/** The paths of a server that signs users in, and what their bodies hold. All take forms. */
export interface Endpoints {
  readonly port: number;
  /** `before`: what the body holds before `username=…&password=…`. */
  readonly login?: {
    readonly path: string;
    readonly before: string;
    readonly json?: boolean;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly refresh?: { readonly path: string; readonly before: string };
  readonly clientCredentials?: { readonly path: string; readonly body: string };
  readonly introspect?: { readonly path: string; readonly before: string };
  readonly me?: { readonly path: string };
}
