import { createSecretKey } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { seal, unseal } from "../../src/domain/key/seal.ts";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";

const [one, two] = ["one-secret-one-secret-one-secret-one", "two-secret-two-secret-two-secret-two"];

describe("the list of secret keys", () => {
  test("issues with the first and finds all by their ids", () => {
    const keys = createSecretKeys([one, two]);
    expect(keys.current.id).toBe(createSecretKeys([one]).current.id);
    expect(keys.find(createSecretKeys([two]).current.id)).not.toBeNull();
    expect(keys.find("00000000")).toBeNull();
  });

  test("separates its keys by purpose", () => {
    const { current } = createSecretKeys([one]);
    const purposes = ["refresh-token", "signing-key", "name"] as const;
    const keys = purposes.map((purpose) => current.derive(purpose).export().toString("hex"));
    expect(new Set(keys).size).toBe(purposes.length);
    expect(keys.filter((key) => key.startsWith(current.id))).toEqual([]);
    expect(current.derive("name").symmetricKeySize).toBe(32);
  });
});

describe("a sealed secret", () => {
  const key = createSecretKey(Buffer.alloc(32, 1));
  const sealed = seal(key, "label", Buffer.from("the secret"));

  test("opens with its key and its label alone", () => {
    expect(unseal(key, "label", sealed).toString()).toBe("the secret");
    expect(() => unseal(createSecretKey(Buffer.alloc(32, 2)), "label", sealed)).toThrow("authenticate");
    expect(() => unseal(key, "another", sealed)).toThrow("authenticate");
  });

  test("does not open when any byte of it has changed", () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => unseal(key, "label", changed)).toThrow("authenticate");
    }
  });

  test("is another each time", () => {
    expect(seal(key, "label", Buffer.from("the secret")).equals(sealed)).toBe(false);
  });
});
