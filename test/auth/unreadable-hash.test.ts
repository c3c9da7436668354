import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import * as given from "../_harness/given.ts";
import { readMetric } from "../_harness/metrics.ts";
import { bearerOf, type RestAnswer, sendForm, sendJson } from "../_harness/rest.ts";
import { readLastEvent } from "../_harness/rows/audit.ts";
import { changeUser, readUser } from "../_harness/rows/users.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

let service: TestService;
let sql: Client;
let startedAt: number;
beforeAll(async () => {
  startedAt = performance.now();
  service = await startService();
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const bcrypt = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
/** What is stored, and why it cannot be read; null leaves the hash as it was. */
const unreadable: readonly (readonly [
  string,
  string | null,
  string | null,
  "form" | "pepper" | "refused",
])[] = [
  ["a password in plain text", "correct horse battery", null, "form"],
  ["of an unknown kind", "$6$rounds=5000$salt$hash", null, "form"],
  ["bcrypt's and cut off", bcrypt.slice(0, -1), null, "form"],
  ["a cost that is never spent", bcrypt.replace("$04$", "$31$"), null, "form"],
  ["made with a pepper that is gone", null, "deadbeef", "pepper"],
  ["bcrypt's, with a pepper that is gone", bcrypt, "deadbeef", "pepper"],
];

async function createUnreadable(name: string, hash: string | null, pepperId: string | null): Promise<void> {
  await given.user(service, { username: name });
  await damage(name, hash, pepperId);
}

function damage(username: string, hash: string | null, pepperId: string | null): Promise<void> {
  const stored = hash === null ? {} : { password_hash: hash };
  return changeUser(sql, { username }, { ...stored, password_pepper_id: pepperId });
}

/** All that a caller sees, but for what differs with every answer. */
function seen({ status, headers, json }: RestAnswer): unknown {
  const { request_id: _id, ...body } = json;
  const fields = [...headers].filter(([name]) => !["date", "x-request-id"].includes(name));
  // Every attempt takes one off the limit.
  const fixed = fields.filter(([name]) => !name.startsWith("ratelimit"));
  return { status, fields: fixed, body };
}

const logInAs = (username: string, password: string) =>
  sendForm(`${service.url}/auth/login`, { username, password });

async function lastEvent(username: string): Promise<unknown> {
  return readLastEvent(sql, (await readUser(sql, username)).id);
}

describe("a login whose user's stored hash cannot be read answers as a wrong password does, where it is", () => {
  test.each(unreadable.map((each, index) => [each[0], index, each] as const))(
    "%s",
    async (_what, index, [, hash, pepperId, cause]) => {
      const name = `unreadable-${index}`;
      await createUnreadable(name, hash, pepperId);
      const wrong = seen(await logInAs(service.admin.username, "a wrong password"));
      expect(wrong).toMatchObject({ status: 401, body: { reason: "invalid_credentials" } });
      expect(seen(await logInAs("nobody-here", "a wrong password"))).toEqual(wrong);
      const series = `countersign_hashes_unreadable_total{cause="${cause}"}`;
      const before = await readMetric(service, series);
      for (const password of [service.admin.password, "correct horse", "a wrong password"]) {
        expect(seen(await logInAs(name, password))).toEqual(wrong);
        expect(await lastEvent(name)).toEqual({ type: "login.failed", reason: "unreadable_hash" });
      }
      expect(await readMetric(service, series)).toBe(before + 3);
      const over = await sendJson(`${service.url}/countersign.v1.AuthService/Login`, {
        username: name,
        password: "correct horse",
      });
      expect([over.status, over.json["code"]]).toEqual([401, "unauthenticated"]);
    },
  );

  test("and the log says so, at most once a minute, without a name", () => {
    const lines = service.logs().filter(({ level }) => level !== "info");
    expect(lines[0]).toEqual({
      level: "warn",
      time: expect.any(String),
      count: 1,
      causes: ["form"],
      msg: "stored password hashes cannot be read, so that their users cannot sign in; the doctor counts them",
    });
    const minutes = Math.floor((performance.now() - startedAt) / 60_000);
    expect(lines.length).toBeLessThanOrEqual(1 + minutes);
  });
});

test("a change of password with a hash that cannot be read answers as a wrong current password does", async () => {
  const change = async (name: string): Promise<unknown> => {
    const user = await given.user(service, { username: name });
    const { access_token } = await given.session(service, { user });
    if (name === "damaged") await damage(name, "damaged", null);
    const body = { current_password: "a wrong password", new_password: "seventeen quiet herons" };
    const headers = bearerOf(access_token);
    return seen(await sendForm(`${service.url}/auth/change-password`, body, headers));
  };
  const wrong = await change("undamaged");
  expect(wrong).toMatchObject({ status: 422, body: { errors: [{ detail: "is wrong" }] } });
  expect(await change("damaged")).toEqual(wrong);
  expect(await lastEvent("damaged")).toEqual({ type: "password.change_failed", reason: "unreadable_hash" });
  expect(await lastEvent("undamaged")).toEqual({ type: "password.change_failed", reason: "wrong_password" });
});

describe("a password that bcrypt cannot tell from another", () => {
  const stem = "x".repeat(71);

  test.each([
    ["begins as a longer one does", `${stem}yz`, `${stem}y`],
    ["goes on as no other does after 72 bytes", `${stem}y`, `${stem}y and something else`],
    ["holds a NUL", "hunter22", "hunter22\0hunter22"],
  ])("signs in where it %s, and does not become the only one that does", async (what, right, alike) => {
    const { hash } = await import("@node-rs/bcrypt");
    const name = what.replaceAll(" ", "-");
    const stored = await hash(right, { cost: 4 });
    await createUnreadable(name, stored, null);
    for (let login = 0; login < 3; login += 1) expect((await logInAs(name, alike)).status).toBe(200);
    expect((await readUser(sql, name)).passwordHash).toBe(stored);
    expect((await logInAs(name, right)).status).toBe(200);
  });
});
