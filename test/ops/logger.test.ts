import { describe, expect, test } from "@jest/globals";
import { createLogger } from "../../src/ops/logger.ts";

function collect(forPeople: boolean, level = "info") {
  let text = "";
  const log = createLogger(level, forPeople, { write: (line: string) => void (text += line) });
  return { log, text: () => text, line: () => JSON.parse(text) as Record<string, unknown> };
}

/** An error as node-postgres throws it. */
function databaseError(code: string, message: string): Error {
  return Object.assign(new Error(message), {
    name: "error",
    severity: "ERROR",
    code,
    detail: "Key (email)=(anna@example.org) already exists.",
    where: "unnamed portal parameter $1 = 'anna@example.org'",
    constraint: "users_email_folded_key",
    internalQuery: "select 'anna@example.org'",
  });
}

describe("the log", () => {
  test("a line is JSON with the time, the level's name, the message and the fields", () => {
    const { log, line } = collect(false);
    log.info({ status: 200, rpc: null }, "request");
    expect(line()).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      status: 200,
      rpc: null,
      msg: "request",
    });
  });

  test("a line of facts is the same line", () => {
    const facts = { status: 200, rpc: null, user_agent: 'a "quoted" one\nand more' };
    const [usual, short] = [collect(false), collect(false)];
    usual.log.info(facts, "request");
    short.log.facts(facts, "request");
    expect(short.text().endsWith("}\n")).toBe(true);
    expect(Object.entries(short.line())).toEqual(
      Object.entries({ ...usual.line(), time: expect.stringMatching(/^\d{4}-.*Z$/) }),
    );
    const people = collect(true);
    people.log.facts({ status: 200, rpc: null }, "request");
    expect(people.text()).toMatch(/^\d\d:\d\d:\d\d info {2}request status=200\n$/);
  });

  test("what is less severe than the level is not written, and silent writes nothing", () => {
    const warn = collect(false, "warn");
    warn.log.info({}, "no");
    warn.log.facts({}, "no");
    expect(warn.text()).toBe("");
    const silent = collect(false, "silent");
    silent.log.error({}, "no");
    expect(silent.text()).toBe("");
  });

  test.each([
    ["at the top", { password: "hunter2" }],
    ["in another spelling", { refreshToken: "hunter2" }],
    ["in a header's spelling", { "Set-Cookie": "hunter2" }],
    ["below", { request: { body: { new_password: "hunter2" } } }],
    ["in a list", { clients: [{ client_secret: "hunter2" }] }],
    ["as an object", { secret: { value: "hunter2" } }],
    ["in an address", { database_url: "postgres://anna:hunter2@db" }],
  ])("a field that is named like a secret is taken out: %s", (_where, fields) => {
    const { log, text } = collect(false);
    log.info(fields, "message");
    expect(text()).not.toContain("hunter2");
    expect(text()).toContain("[redacted]");
  });

  test("bytes are counted and not shown", () => {
    const { log, line } = collect(false);
    log.info({ handle: Buffer.from("hunter2") }, "message");
    expect(line()).toMatchObject({ handle: "[7 bytes]" });
  });
});

describe("an error in the log", () => {
  test("is told with its type, code, sentence, stack and causes", () => {
    const { log, line } = collect(false);
    const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    log.error({ err: new Error("outer", { cause }) }, "it failed");
    expect(line()).toMatchObject({
      err: {
        type: "Error",
        message: "outer",
        stack: expect.stringContaining("Error: outer\n    at "),
        cause: { code: "ECONNREFUSED", message: "connect" },
      },
    });
  });

  test("of PostgreSQL keeps its code and constraint, and nothing that quotes a row", () => {
    const { log, text, line } = collect(false);
    const error = databaseError(
      "23505",
      'duplicate key value violates unique constraint "users_email_folded_key"',
    );
    log.error({ err: new Error("outer", { cause: error }) }, "it failed");
    expect(text()).not.toContain("anna@example.org");
    expect(line()).toMatchObject({
      err: { cause: { code: "23505", constraint: "users_email_folded_key" } },
    });
  });

  test("of PostgreSQL about a value does not quote the value, in the stack neither", () => {
    const { log, text } = collect(false);
    log.error(
      { err: databaseError("22P02", 'invalid input syntax for type bigint: "hunter2"') },
      "it failed",
    );
    expect(text()).not.toContain("hunter2");
    expect(text()).toContain("invalid input syntax for type bigint");
  });

  test.each([
    ["a refresh token", `csr_${"A".repeat(82)}`],
    ["an access token", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"],
    ["an address with a password", "postgres://anna:hunter2@db:5432/x"],
  ])("does not hold %s that stands in its sentence", (_what, secret) => {
    const { log, text } = collect(false);
    log.error({ err: new Error(`cannot use ${secret} now`) }, "it failed");
    expect(text()).not.toContain(secret);
    expect(text()).not.toContain("hunter2");
    expect(text()).toContain("[redacted]");
  });

  test("of several addresses tells each one's failure", () => {
    const { log, line } = collect(false);
    log.error({ err: new AggregateError([new Error("one"), new Error("two")], "") }, "it failed");
    expect(line()).toMatchObject({ err: { errors: [{ message: "one" }, { message: "two" }] } });
  });

  test("that is its own cause, or no error at all, is told all the same", () => {
    const { log, text } = collect(false);
    const error = new Error("round");
    error.cause = error;
    log.error({ err: error }, "it failed");
    log.error({ err: "hunter2" }, "it failed");
    expect(text().split("\n")).toHaveLength(3);
    expect(text()).not.toContain("hunter2");
  });
});

describe("the log of a terminal", () => {
  test("is a line with the local time, the level, the message and the fields that are set", () => {
    const { log, text } = collect(true);
    log.info({ status: 200, rpc: null, note: "two words", list: [1] }, "request");
    expect(text()).toMatch(/^\d\d:\d\d:\d\d info  request status=200 note="two words" list=\[1\]\n$/);
  });

  test("shows an error's stack and causes below, indented", () => {
    const { log, text } = collect(true);
    log.error({ err: new Error("outer", { cause: new Error("inner") }) }, "it failed");
    expect(text()).toMatch(/error it failed\n  Error: outer\n {6}at [^]*\n  caused by:\n  Error: inner\n/);
  });

  test("lets no value draw on the terminal", () => {
    const { log, text } = collect(true);
    log.warn({ a: "\u001b[2J", b: "x\u009b\u202ey" }, "message \u0007");
    expect(text()).toContain("\\u001b[2J");
    expect(text()).toContain("message \\u0007");
    expect(text().replace(/\n$/, "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("takes secrets out, too", () => {
    const { log, text } = collect(true);
    log.info({ password: "hunter2" }, "message");
    expect(text()).not.toContain("hunter2");
  });
});
