import { type DescMethod, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { requestPolicies } from "../../domain/throttle/policies.ts";
import { type Limit, type Limit_Case, proves_device } from "../../gen/countersign/v1/options_pb.ts";
import type { RulesOfMethods } from "../method-rules.ts";

/** A limit that counts by address. */
export type AddressPolicy = Extract<(typeof requestPolicies)[number], `${string}-address`>;

/** How calls are limited, by what their RPCs' options say. */
export interface CallLimits {
  /** The limit that a call counts by; null for none. */
  policyOf(method: DescMethod, message: Message): AddressPolicy | null;
  /** The device token that a login shows, empty where it shows none; null for a call that is no login. */
  deviceTokenOf(method: DescMethod, message: Message): string | null;
}

type Read<Value> = (message: Message) => Value;

/**
 * Compiles the limits of all RPCs.
 *
 * @throws Error if an option names a limit or a field that does not exist
 */
export function createCallLimits(rules: RulesOfMethods): CallLimits {
  const policies = new Map<DescMethod, Read<AddressPolicy | null>>();
  const tokens = new Map<DescMethod, Read<string>>();
  for (const [method, { limit }] of rules) {
    policies.set(method, compilePolicy(method, limit));
    const field = method.input.fields.find((candidate) => getOption(candidate, proves_device));
    if (field !== undefined) tokens.set(method, readText(method, field.name));
  }
  const policyOf: CallLimits["policyOf"] = (method, message) => policies.get(method)?.(message) ?? null;
  return {
    policyOf,
    deviceTokenOf(method, message) {
      const token = tokens.get(method);
      return token !== undefined && policyOf(method, message) === "login-address" ? token(message) : null;
    },
  };
}

function compilePolicy(method: DescMethod, { rule, cases }: Limit): Read<AddressPolicy | null> {
  const usual = rule.case === "address" ? requirePolicy(method, rule.value) : null;
  const compiled = cases.map((one) => compileCase(method, one));
  if (compiled.length === 0) return () => usual;
  return (message) => compiled.find(({ fits }) => fits(message))?.policy ?? usual;
}

function compileCase(method: DescMethod, { field, value, address }: Limit_Case) {
  const read = readText(method, field);
  return { policy: requirePolicy(method, address), fits: (message: Message) => read(message) === value };
}

function requirePolicy(method: DescMethod, name: string): AddressPolicy {
  const policy = requestPolicies.find((one): one is AddressPolicy => one === `${name}-address`);
  if (policy === undefined) {
    throw new Error(`${nameOf(method)} names the limit ${name}, which does not exist`);
  }
  return policy;
}

function readText(method: DescMethod, name: string): Read<string> {
  const field = method.input.fields.find((candidate) => candidate.name === name);
  if (field?.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING) {
    throw new Error(`${nameOf(method)} has an option for the field ${name}, which is no text of its request`);
  }
  return (message) => String(Reflect.get(message, field.localName) ?? "");
}

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}
