import { createHash, hkdfSync } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { decodeJwt } from "jose";
import * as given from "../_harness/given.ts";
import { startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";

// its own SQL: it looks for the token in every column.

let service: TestService;
let token: string;
let accessToken: string;
beforeAll(async () => {
  service = await startService();
  ({ refresh_token: token, access_token: accessToken } = await given.session(service, {
    user: service.admin,
  }));
});
afterAll(() => service.stop());

/** csr_ base64url( version 1 | key id 4 | handle 16 | generation 8 | tag 32 ) */
function open(text: string) {
  const bytes = Buffer.from(text.slice("csr_".length), "base64url");
  return {
    prefix: text.slice(0, 4),
    length: bytes.length,
    version: bytes.readUInt8(0),
    keyId: bytes.subarray(1, 5).toString("hex"),
    handle: bytes.subarray(5, 21),
    generation: bytes.readBigUInt64BE(21),
    signed: bytes.subarray(0, 29),
    tag: bytes.subarray(29),
  };
}

function derive(purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", testSecretKey, "countersign", `countersign/v1/${purpose}`, 32));
}

/** HMAC-SHA-256 by its definition (RFC 2104), from a hash alone. */
function hmacSha256(key: Buffer, message: Buffer): Buffer {
  const padded = Buffer.concat([key, Buffer.alloc(64 - key.length)]);
  const sha256 = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const inner = sha256(padded.map((byte) => byte ^ 0x36) as Buffer, message);
  return sha256(padded.map((byte) => byte ^ 0x5c) as Buffer, inner);
}

test("a refresh token is version, key id, handle, generation and tag, in base64url after csr_", () => {
  expect(token).toMatch(/^csr_[A-Za-z0-9_-]{82}$/);
  expect(open(token)).toMatchObject({ prefix: "csr_", length: 61, version: 1, generation: 0n });
  expect(open(token).keyId).toBe(derive("key-id").subarray(0, 4).toString("hex"));
});

test("its tag is the HMAC-SHA-256 of all before it and the client's id, under a key of that purpose alone", () => {
  const { signed, tag } = open(token);
  const message = Buffer.concat([signed, Buffer.from("countersign")]);
  expect(tag.toString("hex")).toBe(hmacSha256(derive("refresh-token"), message).toString("hex"));
  expect(tag.toString("hex")).not.toBe(hmacSha256(derive("signing-key"), message).toString("hex"));
});

test("the database holds the hash of its handle, and neither the handle nor the token", async () => {
  const { handle, tag, keyId } = open(token);
  const sql = await openSql(service.databaseUrl);
  const { rows } = await sql.query<{ id: string; hash: string; key: string; generation: string }>(
    "select id, encode(handle_hash, 'hex') as hash, secret_key_id as key, generation from sessions",
  );
  const tables = await sql.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const dump = await sql.query<{ row: string }>(`select ${name}::text as row from ${name}`);
    texts.push(...dump.rows.map(({ row }) => row));
  }
  await sql.end();
  expect(rows).toEqual([
    {
      id: decodeJwt(accessToken)["sid"],
      hash: createHash("sha256").update(handle).digest("hex"),
      key: keyId,
      generation: "0",
    },
  ]);
  const all = texts.join("\n");
  expect(all).toContain(createHash("sha256").update(handle).digest("hex"));
  for (const secret of [handle.toString("hex"), handle.toString("base64url"), tag.toString("hex"), token]) {
    expect(all).not.toContain(secret);
  }
});

test("its handle has nothing to do with the session's public id", () => {
  const { handle } = open(token);
  const claims = JSON.stringify(decodeJwt(accessToken));
  for (const encoding of ["hex", "base64url", "base64"] as const) {
    expect(claims).not.toContain(handle.toString(encoding));
  }
});
