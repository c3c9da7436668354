import { describe, expect, test } from "@jest/globals";
import { parseTemplate } from "../../src/transcoding/template.ts";

/** Segments as they stand in a template, variables as name[start,end). */
function show(text: string): string {
  const { segments, variables, verb } = parseTemplate(text);
  const path = segments.map((s) => (s.kind === "literal" ? s.text : s.kind === "any" ? "*" : "**"));
  const spans = variables.map((v) => ` ${v.fieldPath.join(".")}[${v.start},${v.end ?? "end"})`);
  return `${path.join(" ")}${verb === null ? "" : ` :${verb}`}${spans.join("")}`;
}

describe("path templates", () => {
  test.each([
    ["/a", "a"],
    ["/auth/login", "auth login"],
    ["/.well-known/jwks.json", ".well-known jwks.json"],
    ["/a/*/b", "a * b"],
    ["/a/**", "a **"],
    ["/a/{id}", "a * id[1,2)"],
    ["/a/{id=*}/b", "a * b id[1,2)"],
    ["/a/{b.c_d}/{e}", "a * * b.c_d[1,2) e[2,3)"],
    ["/v1/{name=shelves/*/books/*}", "v1 shelves * books * name[1,5)"],
    ["/v1/{name=files/**}", "v1 files ** name[1,end)"],
    ["/v1/{name=**}:undelete", "v1 ** :undelete name[1,end)"],
    ["/v1/books:batchGet", "v1 books :batchGet"],
    ["/v1/{a=x}", "v1 x a[1,2)"],
  ])("%s is read", (text, expected) => {
    expect(show(text)).toBe(expected);
  });

  test.each([
    ["", "does not start with a slash"],
    ["a", "does not start with a slash"],
    ["/", "has an empty or malformed segment"],
    ["/a/", "has an empty or malformed segment"],
    ["//a", "has an empty or malformed segment"],
    ["/a b", "has an empty or malformed segment"],
    ["/a%20b", "has an empty or malformed segment"],
    ["/é", "has an empty or malformed segment"],
    ["/a*", "has an empty or malformed segment"],
    ["/***", "has an empty or malformed segment"],
    ["/{a=}", "has an empty or malformed segment"],
    ["/{a=b//c}", "has an empty or malformed segment"],
    ["/{a", "has an unclosed brace"],
    ["/a}", "has a misplaced brace at 2"],
    ["/{a={b}}", "has a misplaced brace at 4"],
    ["/{a}b", "has a variable that is not a whole segment"],
    ["/b{a}", "has an empty or malformed segment"],
    ["/{}", "has a variable with a malformed field path"],
    ["/{a..b}", "has a variable with a malformed field path"],
    ["/{1a}", "has a variable with a malformed field path"],
    ["/{a}/{a}", "has a variable twice"],
    ["/**/a", "has ** before its end"],
    ["/{a=**}/b", "has ** before its end"],
    ["/a:", "has a malformed verb"],
    ["/a:b/c", "has a malformed verb"],
    ["/{a:b}", "has a malformed verb"],
  ])("%p is refused", (text, problem) => {
    expect(() => parseTemplate(text)).toThrow(problem);
  });
});
