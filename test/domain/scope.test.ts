import { describe, expect, test } from "@jest/globals";
import { grantScopes } from "../../src/domain/client/scope.ts";

const client = {
  id: "app",
  name: "App",
  confidential: false,
  firstParty: true,
  grants: ["password" as const],
  scopes: ["read", "write"],
  audiences: ["api"],
  canIntrospect: false,
  accessTokenTtlSeconds: null,
  refreshGraceMs: null,
  createdAt: null,
  registration: null,
};

describe("the scope of a request", () => {
  test("is granted as it was asked for, each name once", () => {
    expect(grantScopes("write read write", client)).toEqual(["write", "read"]);
    expect(grantScopes("", client)).toEqual([]);
  });

  test.each([
    " read",
    "read ",
    "read  write",
    "read\twrite",
    'read"',
    "re\\ad",
    "delete",
    "read delete",
    "ré",
  ])("%j is refused", (scope) => {
    expect(() => grantScopes(scope, client)).toThrow(expect.objectContaining({ reason: "invalid_scope" }));
  });
});
