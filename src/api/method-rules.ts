import { type DescField, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { isPermission, type Permission } from "../domain/role/permissions.ts";
import { type Access, access, type Limit, limit } from "../gen/countersign/v1/options_pb.ts";
import { http } from "../gen/google/api/annotations_pb.ts";
import { hasRedactedField } from "./redaction.ts";
import { rpcName } from "./rpc-name.ts";

/** The contract's rules about the callers of an RPC. */
export interface MethodRules {
  /** Who may call it. */
  readonly access: Access;
  /** How often one address may call it. */
  readonly limit: Limit;
  /** The permission that its callers need; null where it is for nobody who administers. */
  readonly permission: Permission | null;
}

/** The rules of an RPC of another project. */
export type GivenRules = Omit<MethodRules, "permission">;

/**
 * Reads the rules of an RPC and checks them.
 *
 * @param given the rules of an RPC of another project, whose proto cannot hold them
 * @throws Error where the proto does not say who may call the RPC, or how often one address may, or where the
 *   RPC could put a secret into a URL
 */
export function readMethodRules(method: DescMethod, given?: GivenRules): MethodRules {
  const name = rpcName(method);
  const rules = given ?? {
    access: hasOption(method, access) ? getOption(method, access) : undefined,
    limit: hasOption(method, limit) ? getOption(method, limit) : undefined,
  };
  if (rules.access?.rule.case === undefined) throw new Error(`${name} does not say who may call it`);
  if (rules.limit?.rule.case === undefined) {
    throw new Error(`${name} does not say how often one address may call it`);
  }
  refuseSecretsInUrls(method, name);
  refuseUnknownProof(method, rules.access, name);
  return { access: rules.access, limit: rules.limit, permission: readPermission(method, rules.access, name) };
}

/**
 * An RPC below /admin needs a permission, and so does every RPC of a service that has one with a permission: an RPC
 * that is forgotten stops the start.
 */
function readPermission(method: DescMethod, { rule }: Access, name: string): Permission | null {
  if (rule.case !== "permission") {
    if (isAdministrative(method)) throw new Error(`${name} administers, and names no permission`);
    return null;
  }
  if (!isPermission(rule.value)) {
    throw new Error(`${name} names the permission ${rule.value}, which does not exist`);
  }
  return rule.value;
}

function isAdministrative(method: DescMethod): boolean {
  const { pattern } = getOption(method, http);
  const path = typeof pattern.value === "string" ? pattern.value : (pattern.value?.path ?? "");
  return (
    path.startsWith("/admin/") ||
    method.parent.methods.some((other) => getOption(other, access).rule.case === "permission")
  );
}

/** Connect lets RPCs without side effects be called by GET, with the message in the URL. */
function refuseSecretsInUrls(method: DescMethod, name: string): void {
  const byGet = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (byGet && (hasRedactedField(method.input) || hasRedactedField(method.output))) {
    throw new Error(
      `${name} is marked NO_SIDE_EFFECTS, which opens it to GET, but has a field marked debug_redact`,
    );
  }
}

/**
 * A field that is taken instead of a token has to exist, and to be a secret; or to name an account whose secret every
 * request has.
 */
function refuseUnknownProof(method: DescMethod, { rule }: Access, name: string): void {
  const proof = rule.case === "bearer" ? rule.value.unlessField : "";
  const field = method.input.fields.find((candidate) => candidate.name === proof);
  if (proof === "") return;
  const hasSecret = method.input.fields.some((one) => isSecret(one) && getOption(one, fieldRules).required);
  if (field === undefined || !(isSecret(field) || hasSecret)) {
    throw new Error(
      `${name} takes the field ${proof} as proof, which is not a field marked debug_redact, nor is there one that is required`,
    );
  }
}

function isSecret(field: DescField): boolean {
  return field.proto.options?.debugRedact === true;
}
