import { describe, expect, test } from "@jest/globals";
import {
  checkNewPassword,
  checkPassword,
  normalizePassword,
} from "../../src/domain/password/password-rules.ts";

describe("any password", () => {
  test.each([
    ["nothing", "", "is required"],
    ["1025 bytes", "x".repeat(1025), "must be at most 1024 bytes long"],
    ["1026 bytes in 513 characters", "é".repeat(513), "must be at most 1024 bytes long"],
  ])("is refused before it is hashed: %s", (_case, password, detail) => {
    expect(checkPassword(password, "password")).toEqual([
      { field: "password", code: expect.any(String), detail },
    ]);
  });

  test("may be one byte, or 1024", () => {
    expect(checkPassword("x", "password")).toEqual([]);
    expect(checkPassword("é".repeat(512), "password")).toEqual([]);
  });

  test("is the same however its accents were typed", () => {
    expect(normalizePassword("cafe\u0301 au lait")).toBe(normalizePassword("caf\u00e9 au lait"));
  });
});

describe("a new password", () => {
  const check = (password: string) =>
    checkNewPassword(password, { field: "new_password", username: "Margarethe" });

  test.each([
    ["seven characters", "abcdef7", "must be at least 8 characters long"],
    ["seven characters of four bytes", "😀".repeat(7), "must be at least 8 characters long"],
    ["a common one", "password123", "is too common"],
    ["a common one in capitals", "PASSWORD123", "is too common"],
    ["the username", "margarethe", "must not be the username"],
  ])("is refused: %s", async (_case, password, detail) => {
    expect(await check(password)).toEqual([{ field: "new_password", code: expect.any(String), detail }]);
  });

  test.each(["correct horse battery", "😀".repeat(8), "pässwörter sind länger"])(
    "may be %s",
    async (password) => {
      expect(await check(password)).toEqual([]);
    },
  );
});
