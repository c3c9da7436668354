import { describe, expect, test } from "@jest/globals";
import { assert, property, string } from "fast-check";
import { checkEmail, checkRoles, checkUsername } from "../../src/domain/user/names.ts";
import { foldName } from "../../src/lib/fold.ts";

describe("names", () => {
  test.each([
    ["case", "Alice", "aLICE"],
    ["width", "ａｌｉｃｅ", "alice"],
    ["the sharp s", "Straße", "STRASSE"],
    ["the final sigma", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"],
    ["composition", "Zoe\u0308", "zo\u00eb"],
    ["ligatures", "ﬁona", "FIONA"],
  ])("compare without %s", (_what, one, other) => {
    expect(foldName(one)).toBe(foldName(other));
  });

  test("fold once and for all", () => {
    assert(
      property(string({ unit: "grapheme" }), (name) => {
        expect(foldName(foldName(name))).toBe(foldName(name));
      }),
    );
  });

  test.each([
    ["", "is required"],
    [" alice", "must not begin or end with white space"],
    ["al\u200bice", "must not hold invisible characters"],
    ["al\u0000ice", "must not hold invisible characters"],
    ["al\u202eice", "must not hold invisible characters"],
    ["alice@home", "must not hold an at sign"],
    ["alice＠home", "must not hold an at sign"],
    ["x".repeat(255), "must be at most 254 characters long"],
    ["ﷺ".repeat(20), "must be at most 254 characters long"],
  ])("a username %j is refused", (username, detail) => {
    expect(checkUsername(username)).toEqual([{ field: "username", code: expect.any(String), detail }]);
  });

  test.each(["alice", "Zoë", "李雷", "a b", "x".repeat(254)])("a username may be %s", (username) => {
    expect(checkUsername(username)).toEqual([]);
  });

  test.each(["", "alice", "@home", "alice@", "a@b@c", "a b@c", "a\u0000@b", `${"x".repeat(250)}@home`])(
    "an address %j is refused",
    (email) => {
      expect(checkEmail(email)).toHaveLength(1);
    },
  );

  test("an address has one at sign between two parts", () => {
    expect(checkEmail("alice+tag@example.org")).toEqual([]);
  });

  test("roles are short names", () => {
    expect(checkRoles(["admin", "billing:read", "a.b-c_d"])).toEqual([]);
    expect(checkRoles(["two words"])).toHaveLength(1);
    expect(checkRoles(["x".repeat(65)])).toHaveLength(1);
  });
});
