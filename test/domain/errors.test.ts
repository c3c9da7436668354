import { describe, expect, test } from "@jest/globals";
import { AppError } from "../../src/errors/app-error.ts";
import { reasons } from "../../src/errors/reasons.ts";

describe("the reason registry", () => {
  test.each(Object.entries(reasons))("%s can be told over every protocol", (name, spec) => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(spec.status).toBeGreaterThanOrEqual(400);
    expect(spec.title).not.toBe("");
    // RFC 6749 section 5.2: error_description holds no quote and no backslash.
    expect(spec.help ?? "").toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
  });

  // RFC 6749 section 5.2. A request by another method than POST is no request of these endpoints' at all.
  test.each(
    Object.entries(reasons).filter(([name]) => name !== "method_not_allowed" && name !== "cancelled"),
  )(
    "%s is 400 at the RFC endpoints, unless it is of the client's authentication, the load or ours",
    (name, { status, oauthStatus }) => {
      const isKept = name === "invalid_client" || status === 429 || status >= 500;
      expect(oauthStatus).toBe(isKept ? status : 400);
    },
  );

  test("an AppError keeps its cause apart from its public sentence", () => {
    const error = new AppError("internal", "Something went wrong.", { cause: new Error("secret") });
    expect(error.message).toBe("Something went wrong.");
    expect(error.cause).toBeInstanceOf(Error);
  });
});
