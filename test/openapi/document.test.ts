import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { reasons } from "../../src/errors/reasons.ts";
import { root } from "../_harness/service.ts";

interface Schema {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: unknown;
  readonly parameters?: readonly { readonly $ref?: string }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: unknown }>>;
}

const document = JSON.parse(readFileSync(join(root, "src/gen/openapi.json"), "utf8")) as {
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: unknown };
};
const { paths } = document;
const { schemas } = document.components;
const operations = Object.values(paths).flatMap((path) => Object.values(path));

function operation(method: string, path: string): Operation {
  const found = paths[path]?.[method];
  if (found === undefined) throw new Error(`The document has no ${method} ${path}.`);
  return found;
}

/** A schema without its prose: each member's type, and default where it has one. */
function outline({ required, properties }: Schema) {
  const members = Object.entries(properties).map(([name, { type, default: fallback }]) => [
    name,
    fallback === undefined ? type : [type, fallback],
  ]);
  return { required, members: Object.fromEntries(members) as unknown };
}

describe("the OpenAPI document", () => {
  test("has TokenResponse as the contract orders it", () => {
    expect(outline(schemas["TokenResponse"]!)).toEqual({
      required: ["access_token", "refresh_token", "expires_in"],
      members: {
        access_token: "string",
        refresh_token: ["string", "null"],
        token_type: ["string", "bearer"],
        expires_in: "integer",
        scope: "string",
        device_token: "string",
      },
    });
  });

  test("has ProblemDetail as the contract orders it", () => {
    expect(outline(schemas["ProblemDetail"]!)).toEqual({
      required: ["title", "status", "detail"],
      members: {
        type: ["string", "about:blank"],
        title: "string",
        status: "integer",
        detail: "string",
        reason: "string",
        request_id: "string",
        errors: "array",
        error: "string",
        error_description: "string",
      },
    });
  });

  test("has POST /auth/login as the contract orders it", () => {
    const login = operation("post", "/auth/login");
    expect(login.summary).toBe("Authenticate with username and password, receive a JWT token");
    expect(login.requestBody?.required).toBe(true);
    expect(Object.keys(login.requestBody?.content ?? {})).toEqual([
      "application/x-www-form-urlencoded",
      "application/json",
    ]);
    expect(Object.keys(login.responses)).toEqual(
      expect.arrayContaining(["200", "400", "401", "403", "404", "422", "500", "default"]),
    );
    expect(outline(schemas["LoginRequest"]!).required).toEqual(["username", "password"]);
    const { password } = schemas["LoginRequest"]!.properties;
    expect([password?.["format"], password?.["minLength"]]).toEqual(["password", 1]);
  });

  test("says what a client that acts for itself does not get", () => {
    const { required, properties } = schemas["IssueTokenResponse"]!;
    expect(required).toEqual(["access_token", "expires_in"]);
    expect(properties["refresh_token"]?.["type"]).toBe("string");
  });

  test("gives no request a default, for which generators would demand the field", () => {
    const requests = Object.entries(schemas).filter(([name]) => name.endsWith("Request"));
    expect(requests.length).toBeGreaterThan(5);
    for (const [name, { properties }] of requests) {
      const defaults = Object.entries(properties).filter(([, schema]) => "default" in schema);
      expect([name, defaults]).toEqual([name, []]);
    }
  });

  test("describes the cookie way", () => {
    const asking = operations.filter(({ parameters }) =>
      parameters?.some(({ $ref }) => $ref === "#/components/parameters/AuthMode"),
    );
    expect(asking.map(({ operationId }) => operationId).toSorted()).toEqual([
      "changePassword",
      "login",
      "logout",
      "refresh",
      "revokeAllSessions",
    ]);
    expect(asking.every(({ responses }) => /Set-Cookie/.test(JSON.stringify(responses)))).toBe(true);
    expect(operation("post", "/auth/refresh")).toMatchObject({
      security: [{}, { client: [] }, { cookie: [] }],
      requestBody: { required: false },
    });
    expect(schemas["RefreshRequest"]?.required).toBeUndefined();
    expect(document.components).toMatchObject({
      parameters: { AuthMode: { name: "X-Auth-Mode", in: "header", schema: { enum: ["cookie"] } } },
      securitySchemes: { cookie: { type: "apiKey", in: "cookie", name: "__Host-countersign_refresh" } },
    });
  });

  test("lists the values of what has only a few", () => {
    const valuesOf = (schema: string, property: string) => schemas[schema]?.properties[property]?.["enum"];
    expect(valuesOf("User", "status")).toEqual(["active", "pending", "suspended", "deactivated"]);
    expect(valuesOf("ProblemDetail", "reason")).toEqual(Object.keys(reasons));
    expect(valuesOf("ProblemDetail", "error")).toEqual(
      expect.arrayContaining(["invalid_grant", "slow_down"]),
    );
    expect(valuesOf("AuditEvent", "actor_kind")).toContain("anonymous");
    expect(valuesOf("Jwk", "alg")).toEqual(["ES256", "EdDSA", "RS256", "PS256"]);
  });

  test("begins with what a newcomer calls", () => {
    expect(document.tags.map(({ name }) => name).slice(0, 2)).toEqual(["Auth", "Token"]);
    expect(Object.keys(paths)[0]).toBe("/auth/login");
  });

  test("says what is null and never left out", () => {
    const { required, properties } = schemas["User"]!;
    expect(required).toEqual(Object.keys(properties));
    expect([properties["email"]?.["type"], properties["last_login_at"]?.["type"]]).toEqual([
      ["string", "null"],
      ["string", "null"],
    ]);
  });

  test("says who may call what", () => {
    expect(operation("get", "/auth/me").security).toEqual([{ password: [] }, { bearer: [] }]);
    expect(operation("get", "/.well-known/jwks.json").security).toEqual([]);
    expect(operation("post", "/auth/token").security).toEqual([{}, { client: [] }]);
    expect(operation("post", "/auth/logout").security).toEqual([
      { password: [] },
      { bearer: [] },
      {},
      { client: [] },
      { cookie: [] },
    ]);
    expect(document.components.securitySchemes).toMatchObject({
      password: {
        type: "oauth2",
        flows: { password: { tokenUrl: expect.stringMatching(/\/auth\/login$/) } },
      },
      bearer: { type: "http", scheme: "bearer" },
      client: { type: "http", scheme: "basic" },
    });
  });

  test("has the answer without a body where there is none", () => {
    expect(operation("delete", "/auth/sessions").responses["204"]).not.toHaveProperty("content");
    expect(operation("post", "/auth/logout").requestBody?.required).toBe(false);
  });
});

test.each(operations.map((one) => [one.operationId, one] as const))(
  "%s has each reason at the status that the registry gives it",
  (_id, { responses }) => {
    for (const [status, { description = "" }] of Object.entries(responses)) {
      const named = [...description.matchAll(/^- `(\w+)`/gm)].map(([, name]) => name as keyof typeof reasons);
      for (const name of named) {
        expect([reasons[name].status, reasons[name].oauthStatus].map(String)).toContain(status);
      }
    }
  },
);
