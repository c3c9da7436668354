import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { fieldCodes } from "../../src/errors/field-codes.ts";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { BadRequestSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { fieldCodeOf } from "../../src/api/guards/validate.ts";
import { bearerOf, send, sendForm, sendJson } from "../_harness/rest.ts";
import { root, startService, type TestService } from "../_harness/service.ts";
import { textOf } from "../_harness/text-of.ts";

// Every field that is wrong has a code, the same over every protocol.

let service: TestService;
let bearer: { readonly authorization: string };
beforeAll(async () => {
  service = await startService();
  const { json } = await sendJson(`${service.url}/auth/login`, service.admin);
  bearer = bearerOf(textOf(json["access_token"]));
});
afterAll(() => service.stop());

const errorsOf = (answer: { readonly json: object }) => (answer.json as { errors?: unknown }).errors;

describe("what the rules refuse", () => {
  const wrong = { username: "a\u0001", scope: "x".repeat(1025), clientId: "\u00e9" };
  const expected = [
    { field: "client_id", code: "bad_characters", detail: "must hold printable ASCII only" },
    { field: "password", code: "required", detail: "is required" },
    { field: "scope", code: "too_long", detail: "must be at most 1024 characters" },
    { field: "username", code: "bad_characters", detail: "must not hold control characters" },
  ];
  const sorted = <T extends { readonly field: string }>(errors: readonly T[]) =>
    errors.toSorted((one, other) => (one.field < other.field ? -1 : 1));

  test("has its codes over REST", async () => {
    const { status, json } = await sendJson(`${service.url}/auth/login`, wrong);
    expect(status).toBe(422);
    expect(sorted(json["errors"] as unknown as { field: string }[])).toEqual(expected);
  });

  test.each(["gRPC", "Connect"])("has them as the reasons of its violations over %s", async (protocol) => {
    const options = { baseUrl: service.url, httpVersion: "2" } as const;
    const transport = protocol === "gRPC" ? createGrpcTransport(options) : createConnectTransport(options);
    const error = await createClient(AuthService, transport)
      .login(wrong)
      .catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.InvalidArgument });
    const [details] = (error as ConnectError).findDetails(BadRequestSchema);
    const violations = (details?.fieldViolations ?? []).map(({ field, reason, description }) => {
      return { field, code: reason, detail: description };
    });
    expect(sorted(violations)).toEqual(expected);
  });

  test("has a code of its own for every rule of the contract", () => {
    const folder = join(root, "proto/countersign/v1");
    const text = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
    const rules = new Set([
      ...[...text.matchAll(/\(buf\.validate\.field\)\.(\w+\.\w+) = /g)].map(([, id]) => id ?? ""),
      ...[...text.matchAll(/\(buf\.validate\.field\)\.(required) = /g)].map(([, id]) => id ?? ""),
      ...[...text.matchAll(/^\s*id: "([^"]+)"$/gm)].map(([, id]) => id ?? ""),
      ...[...text.matchAll(/\(buf\.validate\.field\)\.(\w+) = \{\s*(gte): \S+\s*(lte): /g)].map(
        ([, type, ...bounds]) => `${type}.${bounds.join("_")}`,
      ),
    ]);
    expect(rules.size).toBeGreaterThan(5);
    for (const id of rules) {
      expect([id, fieldCodeOf(id)]).toEqual([id, expect.not.stringMatching(/^invalid$/)]);
    }
  });
});

describe("what the domain refuses has its code:", () => {
  const changePassword = (newPassword: string, currentPassword = service.admin.password) =>
    sendJson(
      `${service.url}/auth/change-password`,
      { current_password: currentPassword, new_password: newPassword },
      bearer,
    );
  test.each([
    ["short", "too_short"],
    ["x".repeat(1025), "too_long"],
    ["password1", "too_common"],
  ])("%.20s is %s", async (newPassword, code) => {
    expect(errorsOf(await changePassword(newPassword))).toMatchObject([{ field: "new_password", code }]);
  });

  test("a wrong current password is wrong", async () => {
    const answer = await changePassword("seventeen quiet herons", "x");
    expect(errorsOf(answer)).toMatchObject([{ field: "current_password", code: "wrong" }]);
  });
});

describe("what cannot be read names its field:", () => {
  const change = (body: unknown) => sendJson(`${service.url}/auth/change-password`, body, bearer);
  const events = (query: string) => send(`${service.url}/admin/audit-events?${query}`, { headers: bearer });

  test.each<[string, () => Promise<{ status: number; json: object }>, object[] | undefined]>([
    [
      "an unknown member",
      () => change({ current_password: "a", new_passwort: "b" }),
      [{ field: "new_passwort", code: "unknown", detail: "is not known" }],
    ],
    [
      "an unknown parameter",
      () => events("page-size=1"),
      [{ field: "page-size", code: "unknown", detail: "is not known" }],
    ],
    [
      "an unknown part of a known one",
      () => events("page_size.x=1"),
      [{ field: "page_size.x", code: "unknown", detail: "is not known" }],
    ],
    [
      "a value of another type",
      () => change({ current_password: 1, new_password: "b" }),
      [{ field: "current_password", code: "wrong_type", detail: "does not hold a valid value" }],
    ],
    [
      "a number that is none",
      () => events("page_size=1e1"),
      [{ field: "page_size", code: "wrong_type", detail: "does not hold a valid value" }],
    ],
    [
      "a parameter given twice",
      () => sendForm(`${service.url}/auth/login`, "username=a&username=b&password=c"),
      [{ field: "username", code: "given_twice", detail: "is given twice" }],
    ],
    [
      "credentials in the query",
      () => sendForm(`${service.url}/auth/login?password=x`, service.admin),
      [{ field: "password", code: "misplaced", detail: "may not be given in the query string" }],
    ],
    // What may be anything, a password among it, is not echoed.
    ["a name that is none", () => change({ "hunter 2!": "b" }), undefined],
    ["a name that is long", () => change({ ["a".repeat(65)]: "b" }), undefined],
    ["a name with markup", () => events("%3Cscript%3E=1"), undefined],
    ["no JSON", () => change("{"), undefined],
  ])("%s", async (_what, ask, errors) => {
    const answer = await ask();
    expect([answer.status, errorsOf(answer)]).toEqual([400, errors]);
    expect(answer.json).toMatchObject({ reason: "malformed_request" });
  });
});

test("the list of codes is documented, and each reads as a word", () => {
  const text = readFileSync(join(root, "docs/errors.md"), "utf8");
  for (const code of Object.keys(fieldCodes)) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(text).toContain(`| \`${code}\` |`);
  }
});
