import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";
import {
  createHandle,
  deriveRefreshToken,
  hashHandle,
  parseRefreshToken,
} from "../../src/domain/session/refresh-token.ts";
import { makeRefreshToken } from "../_harness/make-refresh-token.ts";

const [one, two] = ["one-secret-one-secret-one-secret-one", "two-secret-two-secret-two-secret-two"];
const keys = createSecretKeys([one, two]);

const handles = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const generations = fc.bigInt({ min: 0n, max: 2n ** 53n - 2n });
const clientIds = fc.string({ maxLength: 40 });
const sessions = fc.record({ handle: handles, generation: generations, clientId: clientIds });

describe("a refresh token", () => {
  test("says what it was derived from, and the same input gives the same token", () => {
    fc.assert(
      fc.property(
        sessions,
        fc.constantFrom(keys.current, createSecretKeys([two]).current),
        (session, key) => {
          const token = deriveRefreshToken(key, session);
          expect(token).toMatch(/^csr_[\w-]{82}$/);
          expect(deriveRefreshToken(key, session)).toBe(token);
          const { handle, generation } = session;
          expect(parseRefreshToken(token, session.clientId, keys)).toEqual({ handle, generation });
        },
      ),
    );
  });

  test("is none any more when any one bit of its text has changed", () => {
    const session = { handle: createHandle(), clientId: "a client", generation: 7n };
    const token = deriveRefreshToken(keys.current, session);
    for (let bit = 0; bit < token.length * 8; bit += 1) {
      const bytes = Buffer.from(token, "latin1");
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(parseRefreshToken(bytes.toString("latin1"), session.clientId, keys)).toBeNull();
    }
  });

  test("has one spelling: what a lenient reader of base64 would take is no token", () => {
    const session = { handle: createHandle(), clientId: "a client", generation: 7n };
    const token = deriveRefreshToken(keys.current, session);
    const spellings = [
      `${token}=`,
      `${token}==`,
      `${token} `,
      `${token}\n`,
      `${token.slice(0, 40)}\n${token.slice(40)}`,
      token.toUpperCase(),
      token.slice(4),
      `CSR_${token.slice(4)}`,
      token.slice(0, -1) + String.fromCharCode((token.at(-1) ?? "A").charCodeAt(0) + 1),
    ];
    for (const text of spellings) expect(parseRefreshToken(text, session.clientId, keys)).toBeNull();
  });

  test("is its client's alone", () => {
    fc.assert(
      fc.property(sessions, clientIds, (session, other) => {
        fc.pre(other !== session.clientId);
        expect(parseRefreshToken(deriveRefreshToken(keys.current, session), other, keys)).toBeNull();
      }),
    );
  });

  test("is none where its key is not in SECRET_KEY, nor under another key's id", () => {
    const session = { handle: createHandle(), clientId: "a client", generation: 0n };
    const token = deriveRefreshToken(createSecretKeys([two]).current, session);
    expect(parseRefreshToken(token, session.clientId, keys)).not.toBeNull();
    expect(parseRefreshToken(token, session.clientId, createSecretKeys([one]))).toBeNull();
    const bytes = Buffer.from(token.slice(4), "base64url");
    bytes.write(keys.current.id, 1, "hex");
    expect(parseRefreshToken(`csr_${bytes.toString("base64url")}`, session.clientId, keys)).toBeNull();
  });

  test("differs from generation to generation, in its counter and its tag alone", () => {
    const session = { handle: createHandle(), clientId: "a client" };
    const [first, next] = [0n, 1n].map((generation) =>
      Buffer.from(deriveRefreshToken(keys.current, { ...session, generation }).slice(4), "base64url"),
    ) as [Buffer, Buffer];
    expect(first.subarray(0, 21)).toEqual(next.subarray(0, 21));
    expect(first.subarray(29)).not.toEqual(next.subarray(29));
  });

  test("is made as its description says", () => {
    const [handle, clientId] = [createHandle(), "a client"];
    const token = makeRefreshToken({ secret: one, handle, clientId, generation: 5n });
    expect(deriveRefreshToken(keys.current, { handle, clientId, generation: 5n })).toBe(token);
  });
});

describe("a handle", () => {
  test("is 128 random bits, which the stores know by their SHA-256", () => {
    const handle = createHandle();
    expect(handle).toHaveLength(16);
    expect(createHandle()).not.toEqual(handle);
    expect(hashHandle(handle)).toEqual(createHash("sha256").update(handle).digest());
  });
});
