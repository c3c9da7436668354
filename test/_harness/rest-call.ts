import {
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  getOption,
  type JsonObject,
} from "@bufbuild/protobuf";
import { AuditService } from "../../src/gen/countersign/v1/audit_pb.ts";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { KeyService } from "../../src/gen/countersign/v1/keys_pb.ts";
import { ClientService } from "../../src/gen/countersign/v1/clients_pb.ts";
import { RoleService } from "../../src/gen/countersign/v1/roles_pb.ts";
import { UserService } from "../../src/gen/countersign/v1/users_pb.ts";
import { TokenService } from "../../src/gen/countersign/v1/token_pb.ts";
import { http } from "../../src/gen/google/api/annotations_pb.ts";

/** The services of the contract. */
export const services = [
  AuditService,
  AuthService,
  KeyService,
  ClientService,
  RoleService,
  TokenService,
  UserService,
] as const;

/** The RPCs of the contract by name, which is unique among them. */
const rpcs = new Map<string, DescMethod>(
  services.flatMap((service) => service.methods.map((method) => [method.name, method] as const)),
);

/** An RPC that one message is enough for. */
export type CallableRpc = DescMethodUnary | DescMethodServerStreaming | DescMethodClientStreaming;

/** The RPC of a name. */
export function rpcOf(name: string): CallableRpc {
  const method = rpcs.get(name);
  if (method === undefined || !isCallable(method)) throw new Error(`The contract has no RPC ${name}.`);
  return method;
}

function isCallable(method: DescMethod): method is CallableRpc {
  return method.methodKind !== "bidi_streaming";
}

/** An RPC's call over REST, before its body is written. */
export interface RestCall {
  readonly method: string;
  readonly path: string;
  /** What is left for the body; null where the binding has none. */
  readonly rest: JsonObject | null;
}

/** Puts an RPC's request where its first google.api.http binding wants it: path, query or body. */
export function restCallOf(method: DescMethod, input: JsonObject): RestCall {
  const { pattern, body } = getOption(method, http);
  if (pattern.case === undefined || pattern.case === "custom") {
    throw new Error(`${method.name} has no binding that a test can call.`);
  }
  const rest = { ...input };
  const path = pattern.value.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(typeof value === "string" ? value : "");
  });
  const filled = body === "*" || body === "" ? rest : ((rest[body] ?? {}) as JsonObject);
  if (body !== "") delete rest[body];
  const query = body === "*" ? "" : writeParameters(rest);
  return {
    method: pattern.case.toUpperCase(),
    path: query === "" ? path : `${path}?${query}`,
    rest: body === "" ? null : filled,
  };
}

/** A request's fields as a query or a form holds them: a list is a parameter that is given several times. */
export function writeParameters(fields: JsonObject): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each): [string, string] => [
      name,
      typeof each === "string" ? each : JSON.stringify(each),
    ]),
  );
  return new URLSearchParams(pairs).toString();
}
