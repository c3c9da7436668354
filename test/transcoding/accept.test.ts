import { describe, expect, test } from "@jest/globals";
import { negotiateJson, negotiateProblemType } from "../../src/transcoding/accept.ts";

const json = "application/json";
const problem = "application/problem+json";

describe("JSON that has a type of its own", () => {
  const own = "application/jwk-set+json";
  test.each<[string | undefined, string | null]>([
    [undefined, json],
    ["", json],
    ["*/*", json],
    ["application/*", json],
    [json, json],
    [own, own],
    ["Application/JWK-Set+JSON;x=y", own],
    [`${own}, ${json}`, json],
    [`${own}, ${json};q=0.9`, own],
    [`${own}, */*`, own],
    [`${own};q=0, */*`, json],
    [`${json};q=0, */*`, own],
    [`${own};q=0`, null],
    ["application/jwk+json", null],
    ["text/html", null],
  ])("%p gets %p", (accept, expected) => {
    expect(negotiateJson(accept, [own])).toBe(expected);
  });
});

describe("Accept", () => {
  test.each<[string | undefined, boolean, string]>([
    [undefined, true, problem],
    ["", true, problem],
    [" , ,", true, problem],
    ["garbage", true, problem],
    ["*/json", true, problem],
    ["*/*", true, problem],
    ["application/*", true, problem],
    ["application/json", true, json],
    ["APPLICATION/Json", true, json],
    ["application/json; charset=utf-8", true, json],
    ['text/html;x="a,b;c\\"", application/json', true, json],
    ["text/html, application/xhtml+xml, */*;q=0.8", true, problem],
    ["application/json, text/plain, */*", true, json],
    ["application/json;q=0.1, text/html", true, json],
    ["application/json;q=0", false, problem],
    ["application/json;q=0.000, */*", false, problem],
    ["application/json, application/*;q=0", true, json],
    ["application/*;q=0, */*", false, problem],
    ["*/*;q=0", false, problem],
    ["text/html", false, problem],
    ["text/html, garbage", false, problem],
    ["application/problem+json", false, problem],
    ["application/problem+json, application/json", true, problem],
    ["application/problem+json;q=0, application/json", true, json],
    ["application/problem+json;q=0.1, application/json;q=0.9", true, problem],
    ["application/json;q=5", true, json],
    ["application/json;q=x", true, json],
    ['application/json;q="0"', false, problem],
    ["application/jsonx, application/json5", false, problem],
    [`application/json;q=${"1".repeat(100_000)}x`, true, json],
    [",".repeat(50_000), true, problem],
    ['"'.repeat(50_001), true, problem],
  ])("%.60p: JSON is %p, problems are %s", (accept, accepted, problemType) => {
    expect(negotiateJson(accept, [])).toBe(accepted ? json : null);
    expect(negotiateProblemType(accept)).toBe(problemType);
  });
});
