import { createHmac, createSecretKey, randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createHmacSha256 } from "../../src/lib/hmac-sha256.ts";

describe("HMAC-SHA-256", () => {
  // RFC 4231 section 4.3.
  test("gives the known answer", () => {
    const mac = createHmacSha256(createSecretKey("Jefe", "utf8"))("what do ya want for nothing?");
    expect(mac.toString("hex")).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });

  test("is Node's, for keys and texts of any length", () => {
    for (let length = 1; length <= 64; length += 1) {
      const key = createSecretKey(randomBytes(length));
      const text = `${randomBytes(length * 3).toString("base64")} \u00e9\u4e2d\u{1f600}`;
      expect(createHmacSha256(key)(text)).toEqual(createHmac("sha256", key).update(text).digest());
    }
  });

  test("is that of all parts one behind the other, whether texts or bytes", () => {
    const key = createSecretKey(randomBytes(32));
    const mac = createHmacSha256(key);
    const head = randomBytes(29);
    const expected = createHmac("sha256", key).update(head).update("\u00e9 client").update("").digest();
    expect(mac(head, "\u00e9 client", "")).toEqual(expected);
  });

  test("refuses a key that RFC 2104 would have hashed first", () => {
    expect(() => createHmacSha256(createSecretKey(randomBytes(65)))).toThrow("at most 64 bytes");
  });
});
