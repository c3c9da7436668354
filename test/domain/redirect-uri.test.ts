import { describe, expect, test } from "@jest/globals";
import { isRedirectUri } from "../../src/domain/client/redirect-uri.ts";

const [confidential, open] = [{ confidential: true }, { confidential: false }];

describe("an address for redirects", () => {
  test.each([
    "https://app.example.org",
    "https://app.example.org/",
    "https://app.example.org/back?tenant=a",
    "https://app.example.org?tenant=a",
    "https://app.example.org:8443/back",
    "https://192.0.2.1/back",
    "https://[2001:db8::1]/back",
    "https://xn--bcher-kva.example/back",
    "https://app.example.org/%C3%A9",
  ])("is any https address in its one spelling: %s", (uri) => {
    expect([isRedirectUri(uri, confidential), isRedirectUri(uri, open)]).toEqual([true, true]);
  });

  test.each(["http://127.0.0.1/back", "http://127.0.0.1:49152/back", "http://[::1]:49152/"])(
    "is on the user's own device for a public client alone: %s",
    (uri) => {
      expect([isRedirectUri(uri, confidential), isRedirectUri(uri, open)]).toEqual([false, true]);
    },
  );

  test.each([
    ["a fragment", "https://app.example.org/#here"],
    ["an empty fragment", "https://app.example.org/#"],
    ["a wildcard in the host", "https://*.example.org/"],
    ["a wildcard in the path", "https://app.example.org/*"],
    ["credentials", "https://a:b@app.example.org/"],
    ["a name alone", "https://a@app.example.org/"],
    ["plain http", "http://app.example.org/"],
    ["localhost by name", "http://localhost:3000/"],
    ["another spelling of loopback", "http://127.1/"],
    ["a number for an address", "http://2130706433/"],
    ["all addresses", "http://0.0.0.0/"],
    ["a script", "javascript:alert(1)"],
    ["data", "data:text/html,x"],
    ["a scheme of its own", "com.example.app:/back"],
    ["a relative address", "/back"],
    ["no scheme", "//app.example.org/"],
    ["another case", "HTTPS://app.example.org/"],
    ["a host in another case", "https://App.example.org/"],
    ["the usual port", "https://app.example.org:443/"],
    ["a step up", "https://app.example.org/a/../b"],
    ["an encoded step up", "https://app.example.org/a/%2e%2e/b"],
    ["a backslash", "https://app.example.org\\back"],
    ["a host in Unicode", "https://bücher.example/"],
    ["a path in Unicode", "https://app.example.org/é"],
    ["white space around it", " https://app.example.org/"],
    ["a tab within", "https://app.example.org/a\tb"],
    ["a NUL", "https://app.example.org/\u0000"],
    ["half a character", "https://app.example.org/\ud800"],
    ["too many characters", `https://app.example.org/${"a".repeat(512)}`],
    ["no host", "https://"],
    ["nothing", ""],
  ])("is none with %s", (_what, uri) => {
    expect([isRedirectUri(uri, confidential), isRedirectUri(uri, open)]).toEqual([false, false]);
  });
});
