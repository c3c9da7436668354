import {
  clone,
  create,
  createFileRegistry,
  type DescMethod,
  getOption,
  setExtension,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { readCallLimit } from "../../src/api/guards/call-limit.ts";
import { readMethodRules } from "../../src/api/method-rules.ts";
import { AuthService, file_countersign_v1_auth } from "../../src/gen/countersign/v1/auth_pb.ts";
import {
  access,
  AccessSchema,
  type Limit,
  limit,
  LimitSchema,
  proves_device,
} from "../../src/gen/countersign/v1/options_pb.ts";
import { http } from "../../src/gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../src/gen/google/api/http_pb.ts";
import { services } from "../_harness/rest-call.ts";
import { IssueTokenRequestSchema, TokenService } from "../../src/gen/countersign/v1/token_pb.ts";

/** AuthService.Login with other options. */
function loginWith(options: { access?: boolean | string; limit?: Limit; path?: string }): DescMethod {
  const file: FileDescriptorProto = clone(FileDescriptorProtoSchema, file_countersign_v1_auth.proto);
  const method = file.service[0]?.method.find(({ name }) => name === "Login");
  if (method === undefined) throw new Error("there is no Login");
  const given = create(MethodOptionsSchema);
  if (options.access !== false) {
    const rule =
      typeof options.access === "string"
        ? ({ case: "permission", value: options.access } as const)
        : ({ case: "anyone", value: true } as const);
    setExtension(given, access, create(AccessSchema, { rule }));
  }
  if (options.path !== undefined) {
    setExtension(given, http, create(HttpRuleSchema, { pattern: { case: "get", value: options.path } }));
  }
  if (options.limit !== undefined) setExtension(given, limit, options.limit);
  method.options = given;
  const registry = createFileRegistry(file, (name) =>
    file_countersign_v1_auth.dependencies.find((one) => one.proto.name === name),
  );
  const found = registry.getService(AuthService.typeName)?.method["login"];
  if (found === undefined) throw new Error("there is no AuthService");
  return found;
}

const address = (value: string, cases: { field: string; value: string; address: string }[] = []) =>
  create(LimitSchema, { rule: { case: "address", value }, cases });

const limitOf = (method: DescMethod) => readCallLimit(method, readMethodRules(method).limit);

describe("an RPC is not served", () => {
  test.each([
    ["says nothing of who may call it", { access: false, limit: address("login") }, "who may call it"],
    ["says nothing of how often", {}, "how often one address may call it"],
    ["has an empty limit", { limit: create(LimitSchema) }, "how often one address may call it"],
    ["names a limit that does not exist", { limit: address("logn") }, "the limit logn, which does not exist"],
    [
      "names a limit in a case that does not exist",
      { limit: address("login", [{ field: "scope", value: "a", address: "nothing" }]) },
      "the limit nothing",
    ],
    [
      "has a case for a field that does not exist",
      { limit: address("login", [{ field: "grant", value: "a", address: "login" }]) },
      "the field grant, which is no text",
    ],
    [
      "administers and names no permission",
      { path: "/admin/users", limit: address("login") },
      "administers, and names no permission",
    ],
    [
      "names a permission that does not exist",
      { access: "users.fly", limit: address("login") },
      "the permission users.fly, which does not exist",
    ],
  ])("that %s", (_, options, message) => {
    expect(() => limitOf(loginWith(options))).toThrow(message);
  });
});

test("an RPC is not served without a permission if another of its service needs one", () => {
  const { refresh } = loginWith({ access: "users.read", limit: address("login") }).parent.method;
  if (refresh === undefined) throw new Error("there is no Refresh");
  expect(() => readMethodRules(refresh)).toThrow("administers, and names no permission");
});

test("every RPC of the contract has its rules, and its limits exist", () => {
  const methods = services.flatMap((service) => service.methods);
  expect(methods.length).toBeGreaterThan(13);
  expect(() => methods.map(limitOf)).not.toThrow();
});

describe("a call of the token endpoint is counted as what it is", () => {
  const { policyOf, deviceTokenOf } = limitOf(TokenService.method.issueToken);
  test.each([
    ["password", "login-address", "d"],
    ["refresh_token", "refresh-address", null],
    ["client_credentials", "token-address", null],
    ["", "token-address", null],
  ])("grant_type %p", (grantType, policy, device) => {
    const message = create(IssueTokenRequestSchema, { grantType, deviceToken: "d" });
    expect(policyOf?.(message)).toBe(policy);
    expect(deviceTokenOf?.(message)).toBe(device);
  });
});

test("the fields that prove a device are secrets", () => {
  const fields = [AuthService, TokenService].flatMap((service) =>
    service.methods.flatMap(({ input }) => input.fields.filter((field) => getOption(field, proves_device))),
  );
  expect(fields.map((field) => `${field.parent.name}.${field.name}`)).toEqual([
    "LoginRequest.device_token",
    "IssueTokenRequest.device_token",
  ]);
  expect(fields.every((field) => field.proto.options?.debugRedact)).toBe(true);
});
