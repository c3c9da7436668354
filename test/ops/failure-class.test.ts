import { describe, expect, test } from "@jest/globals";
import { failureClass } from "../../src/ops/failure-class.ts";

describe("the class of a failure", () => {
  test.each([
    [{ code: "ECONNREFUSED" }, "connection refused"],
    [{ code: "ENOTFOUND" }, "host name not found"],
    [{ code: "28P01" }, "sign-in refused"],
    [{ code: "57P03" }, "not accepting connections yet"],
    [{ code: "53300" }, "out of connections"],
    [{ code: "53100" }, "disk full"],
    [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "TLS failed"],
    [{ name: "ReplyError", message: "WRONGPASS invalid username-password pair" }, "sign-in refused"],
    [{ name: "ReplyError", message: "constructor" }, "failed"],
    [{ code: "constructor" }, "failed"],
    [{ code: "hunter2" }, "failed"],
    [{}, "failed"],
  ])("of %j is %s", (properties, expected) => {
    expect(failureClass(Object.assign(new Error("postgres://user:hunter2@db"), properties))).toBe(expected);
  });

  test.each([undefined, null, "hunter2", { code: "ECONNREFUSED" }])(
    "of %j, which is no error, is failed",
    (thrown) => {
      expect(failureClass(thrown)).toBe("failed");
    },
  );
});
