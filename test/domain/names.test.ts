import { describe, expect, test } from "@jest/globals";
import { assert, property, string } from "fast-check";
import { checkEmail, checkRoles, checkUsername } from "../../src/domain/user/names.ts";
import { foldName } from "../../src/lib/fold.ts";

describe("names", () => {
  test.each([
    ["case", "Alice", "aLICE"],
    ["width", "ａｌｉｃｅ", "alice"],
    ["the sharp s", "Straße", "STRASSE"],
    ["the capital sharp s", "STRAẞE", "straße"],
    ["the final sigma", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"],
    ["composition", "Zoe\u0308", "zo\u00eb"],
    ["ligatures", "ﬁona", "FIONA"],
    ["white space around them", "\u00a0\t alice\u3000\n", "alice"],
    ["white space that a sign is made of", "´alice", "\u0301alice"],
    ["how a domain is written", "anna@xn--bcher-kva.example", "Anna@BÜCHER.example"],
    ["how a domain with a sharp s is written", "anna@xn--strae-oqa.example", "anna@Straße.example"],
    ["the width of an at sign", "anna＠xn--bcher-kva.example", "anna@bücher.example"],
    ["how one label of several is written", "a@xn--bcher-kva.日本", "a@bücher.xn--wgv71a"],
  ])("compare without %s", (_what, one, other) => {
    expect(foldName(one)).toBe(foldName(other));
  });

  test.each([
    ["white space within them", "an na", "anna"],
    ["what is no domain", "xn--bcher-kva", "bücher"],
    ["what stands in front of an at sign", "xn--bcher-kva@a.example", "bücher@a.example"],
    ["what is no label", "a@xn--.example", "a@.example"],
    ["what follows a domain", "a@xn--bcher-kva.example/b", "a@bücher.example"],
    ["a port", "a@xn--bcher-kva.example:80", "a@bücher.example"],
    ["digits that some read as an address", "a@127.1", "a@127.0.0.1"],
  ])("compare with %s", (_what, one, other) => {
    expect(foldName(one)).not.toBe(foldName(other));
  });

  test("fold once and for all", () => {
    assert(
      property(string({ unit: "grapheme" }), (name) => {
        expect(foldName(foldName(name))).toBe(foldName(name));
        const address = `${name}@xn--bcher-kva.example`;
        expect(foldName(foldName(address))).toBe(foldName(address));
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
