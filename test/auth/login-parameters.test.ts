import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { basic, type RestAnswer, send, sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

// RFC 6749 sections 2.3.1 and 3.2, and the contract's own rules for login bodies.

let service: TestService;
let url: string;
beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT_SCOPES: "mail" } });
  url = `${service.url}/auth/login`;
  const options = ["--email", "Jürgen@Example.org"];
  const created = await service.command(["user", "create", "jürgen", ...options], "the password of jürgen");
  if (created.code !== 0) throw new Error(created.stderr);
});
afterAll(() => service.stop());

const admin = { username: "admin", password: "correct horse battery" };
const adminForm = new URLSearchParams(admin).toString();
const adminJson = JSON.stringify(admin);
const [username, password] = adminForm.split("&") as [string, string];

function expectTokens(answer: RestAnswer): void {
  expect([answer.status, answer.json]).toEqual([
    200,
    {
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: "bearer",
      expires_in: 900,
    },
  ]);
}

function expectRefusal(answer: RestAnswer, status: number, reason: string): void {
  expect([answer.status, answer.json["reason"]]).toEqual([status, reason]);
}

describe("a login is taken", () => {
  test.each([
    ["without a grant type", adminForm],
    ["with the grant type password", `grant_type=password&${adminForm}`],
    ["with unknown parameters", `${adminForm}&audience=x&audience=y&a.b=c`],
    [
      "with every optional parameter empty",
      `grant_type=&scope=&client_id=&client_secret=&device_token&${adminForm}`,
    ],
    ["with an empty parameter beside a full one", `username=&${adminForm}`],
    ["with empty pairs", `&&${adminForm}&`],
    ["with everything percent-encoded", adminForm.replace("admin", "%61%64%6d%69%6E").replaceAll("+", "%20")],
    ["for the client countersign", `client_id=countersign&${adminForm}`],
    ["with a scope that the client has", `scope=mail&${adminForm}`],
    ["with the name in other letters", `username=ADMIN&${password}`],
    ["with the name in full width", `username=${encodeURIComponent("ａｄｍｉｎ")}&${password}`],
  ])("as a form %s", async (_what, body) => {
    expectTokens(await sendForm(url, body));
  });

  test.each([
    ["in the proto's names", { ...admin, grant_type: "password", client_id: "countersign" }],
    ["in camelCase", { ...admin, grantType: "password", clientId: "countersign" }],
    ["with unknown members", { ...admin, audience: ["x"], more: { password: "y" } }],
    ["with null for what is left out", { ...admin, grant_type: null, scope: null, client_secret: null }],
    ["with empty texts for what is left out", { ...admin, grant_type: "", scope: "", client_id: "" }],
  ])("as JSON %s", async (_what, body) => {
    expectTokens(await sendJson(url, body));
  });

  test.each([
    "application/x-www-form-urlencoded; charset=UTF-8",
    "APPLICATION/X-WWW-FORM-URLENCODED",
    'application/x-www-form-urlencoded;charset="utf-8"',
  ])("under the content type %s", async (contentType) => {
    expectTokens(await sendForm(url, adminForm, { "content-type": contentType }));
  });

  test("under the content type application/json; charset=utf-8, after a byte order mark", async () => {
    expectTokens(
      await sendJson(url, `\ufeff${adminJson}`, { "content-type": "application/json; charset=utf-8" }),
    );
  });

  test("by a name beyond ASCII, composed or not, and by the e-mail address in any letters", async () => {
    const secret = "the password of jürgen";
    for (const name of ["jürgen", "ju\u0308rgen", "JÜRGEN", "jürgen@example.org", "JÜRGEN@EXAMPLE.ORG"]) {
      expectTokens(await sendForm(url, { username: name, password: secret.normalize("NFD") }));
      expectTokens(await sendJson(url, { username: name, password: secret }));
    }
  });

  test.each([
    ["an empty id and secret, as Swagger UI sends", basic(":")],
    ["the id alone", basic("countersign:")],
    ["a form-encoded id", basic("counter%73ign:")],
    ["the scheme in other letters", { authorization: `bAsIC ${btoa("countersign:")}` }],
    ["another scheme, which is somebody else's", { authorization: "Bearer abc" }],
  ])("with HTTP Basic of %s", async (_what, headers) => {
    expectTokens(await sendForm(url, adminForm, headers));
    expectTokens(await sendForm(url, `client_id=countersign&${adminForm}`, headers));
  });

  test.each(["/auth/login/", "/auth/login?", "/auth/login?utm_source=x", "/auth/%6cogin"])(
    "at the path %s",
    async (path) => {
      expectTokens(await sendForm(service.url + path, adminForm));
    },
  );

  test("and its answer is kept by no cache", async () => {
    const { headers } = await sendForm(url, adminForm);
    expect([headers.get("cache-control"), headers.get("pragma"), headers.get("content-type")]).toEqual([
      "no-store",
      "no-cache",
      "application/json",
    ]);
  });
});

describe("a login is malformed_request", () => {
  test.each([
    ["with a parameter twice", `${adminForm}&${username}`],
    ["with a password twice", `${adminForm}&password=x`],
    ["with a parameter under both names", `client_id=countersign&clientId=countersign&${adminForm}`],
    ["with a broken percent-encoding", `${username}&password=%zz`],
    ["with bytes that are not UTF-8", `${username}&password=%ff`],
    ["with a surrogate", `${username}&password=%ed%a0%80`],
    ["with nothing in it", ""],
  ])("as a form %s", async (_what, body) => {
    expectRefusal(await sendForm(url, body), 400, "malformed_request");
  });

  test.each([
    ["with a member twice", `{"password":"x",${adminJson.slice(1)}`],
    [
      "with a member under both names",
      `{"clientId":"countersign","client_id":"countersign",${adminJson.slice(1)}`,
    ],
    ["with a number for a text", '{"username":1,"password":"x"}'],
    ["with a list for a text", '{"username":["admin"],"password":"x"}'],
    ["with a lone surrogate", '{"username":"admin","password":"\\ud800"}'],
    ["that is a list", "[]"],
    ["that is a text", '"admin"'],
    ["that is deep", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["that is cut off", '{"username":"admin"'],
    ["that is empty", ""],
  ])("as JSON %s", async (_what, body) => {
    expectRefusal(await sendJson(url, body), 400, "malformed_request");
  });

  test.each([
    "username=admin",
    "password=x",
    "client_secret=x",
    "clientSecret=x",
    "device_token=x",
    "scope=",
  ])("with %s in the query, whatever the body says", async (query) => {
    expectRefusal(await sendForm(`${url}?${query}`, adminForm), 400, "malformed_request");
  });

  test.each<[string, Record<string, string>, string]>([
    ["with two different ids", basic("countersign:"), "client_id=other"],
    ["with two secrets", basic("countersign:a"), "client_secret=b"],
    ["with Basic that is no base 64", { authorization: "Basic ?" }, ""],
  ])("%s", async (_what, headers, more) => {
    expectRefusal(await sendForm(url, `${adminForm}&${more}`, headers), 400, "malformed_request");
  });
});

describe("a client of a login", () => {
  test.each<[string, Record<string, string>, string]>([
    ["that is unknown", {}, "client_id=nobody"],
    ["that has no secret and sends one", {}, "client_id=countersign&client_secret=x"],
    ["that sends its secret alone", {}, "client_secret=x"],
    ["that is unknown, by Basic", basic("nobody:x"), ""],
    ["whose Basic has a plus and a colon in its secret", basic("countersign:a+b:c"), ""],
    ["whose Basic has an id and whose body has a secret", basic("countersign:"), "client_secret=x"],
  ])("%s is invalid_client", async (_what, headers, more) => {
    expectRefusal(await sendForm(url, `${adminForm}&${more}`, headers), 401, "invalid_client");
  });
});

test.each(["gzip", "br", "deflate"])("a body of the coding %s is unsupported_media_type", async (coding) => {
  expectRefusal(
    await sendForm(url, adminForm, { "content-encoding": coding }),
    415,
    "unsupported_media_type",
  );
});

describe.each([
  ["/auth/login", "OPTIONS, POST"],
  ["/auth/me", "GET, HEAD, OPTIONS"],
  ["/.well-known/jwks.json", "GET, HEAD, OPTIONS"],
  ["/livez", "GET, HEAD, OPTIONS"],
  ["/readyz", "GET, HEAD, OPTIONS"],
  ["/healthz/", "GET, HEAD, OPTIONS"],
  ["/problems/invalid_credentials", "GET, HEAD, OPTIONS"],
])("%s", (path, allow) => {
  test("tells its methods when it is asked for them", async () => {
    const { status, headers, text } = await send(service.url + path, { method: "OPTIONS" });
    expect([status, headers.get("allow"), text]).toEqual([204, allow, ""]);
  });

  test.each(["DELETE", "PUT", "PATCH", "PROPFIND"])(
    "refuses %s and names the methods that it takes",
    async (method) => {
      const answer = await send(service.url + path, { method });
      expectRefusal(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")).toBe(allow);
    },
  );
});

// What differs from one answer, or connection, to the next.
const ofEachAnswer = ["date", "connection", "keep-alive", "x-request-id"];

test("HEAD is answered as GET, without the body", async () => {
  for (const path of [
    "/.well-known/jwks.json",
    "/livez",
    "/problems/invalid_token",
    "/nothing",
    "/auth/me",
  ]) {
    const get = await send(service.url + path);
    const head = await send(service.url + path, { method: "HEAD" });
    const fields = (answer: RestAnswer) =>
      [...answer.headers]
        .filter(([name]) => !ofEachAnswer.includes(name))
        .toSorted(([a], [b]) => a.localeCompare(b));
    expect([head.status, fields(head), head.text]).toEqual([get.status, fields(get), ""]);
  }
});

describe("the Accept header", () => {
  test.each(["application/json", "*/*", "application/*", "text/html, */*;q=0.1", "garbage"])(
    "%s is content with JSON",
    async (accept) => {
      expectTokens(await sendForm(url, adminForm, { accept }));
    },
  );

  test.each(["text/html", "application/xml", "application/json;q=0", "application/problem+json"])(
    "%s is not_acceptable, and nobody is signed in",
    async (accept) => {
      expectRefusal(await sendForm(url, adminForm, { accept }), 406, "not_acceptable");
    },
  );
});
