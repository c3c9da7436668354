import { type DescMethod, getOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { requestPolicies } from "../../domain/throttle/policies.ts";
import { type Limit, type Limit_Case, proves_device } from "../../gen/countersign/v1/options_pb.ts";
import { rpcName } from "../rpc-name.ts";

/** A limit that counts by address. */
export type AddressPolicy = Extract<(typeof requestPolicies)[number], `${string}-address`>;

/** How the calls of one RPC are limited, by what its options say. */
export interface CallLimit {
  /** The limit that a call counts by; null for none. Null in its place if no call of the RPC has one. */
  readonly policyOf: Read<AddressPolicy | null> | null;
  /**
   * The device token that a login shows, empty where it shows none; null for a call that is no login. Null in its place
   * if no call of the RPC is one.
   */
  readonly deviceTokenOf: Read<string | null> | null;
}

/** @param message null where the request is a stream of messages */
type Read<Value> = (message: Message | null) => Value;

/** @throws Error if an option names a limit or a field that does not exist */
export function readCallLimit(method: DescMethod, { rule, cases }: Limit): CallLimit {
  const usual = rule.case === "address" ? requirePolicy(method, rule.value) : null;
  const special = cases.map((one) => readCase(method, one));
  if (usual === null && special.length === 0) return { policyOf: null, deviceTokenOf: null };
  const policyOf = (message: Message | null) => special.find(({ fits }) => fits(message))?.policy ?? usual;
  const device = method.input.fields.find((field) => getOption(field, proves_device));
  if (device === undefined) return { policyOf, deviceTokenOf: null };
  const token = readText(method, device.name);
  return {
    policyOf,
    deviceTokenOf: (message) => (policyOf(message) === "login-address" ? token(message) : null),
  };
}

function readCase(method: DescMethod, { field, value, address }: Limit_Case) {
  const read = readText(method, field);
  return {
    policy: requirePolicy(method, address),
    fits: (message: Message | null) => read(message) === value,
  };
}

function requirePolicy(method: DescMethod, name: string): AddressPolicy {
  const policy = requestPolicies.find((one): one is AddressPolicy => one === `${name}-address`);
  if (policy === undefined) {
    throw new Error(`${rpcName(method)} names the limit ${name}, which does not exist`);
  }
  return policy;
}

function readText(method: DescMethod, name: string): Read<string> {
  const field = method.input.fields.find((candidate) => candidate.name === name);
  if (field?.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING) {
    throw new Error(
      `${rpcName(method)} has an option for the field ${name}, which is no text of its request`,
    );
  }
  return (message) => (message === null ? "" : String(Reflect.get(message, field.localName) ?? ""));
}
