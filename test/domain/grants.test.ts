import { expect, test } from "@jest/globals";
import { createGrants, type Grant, type TokenRequest } from "../../src/domain/grants/grants.ts";

function requestBy(grantType: string): TokenRequest {
  return {
    grantType,
    client: { id: "", secret: "" },
    scope: "",
    resources: [],
    username: "",
    password: "",
    refreshToken: "",
    deviceToken: "",
    rememberDevice: false,
    addressRefusal: null,
    origin: { requestId: "", clientAddress: "", userAgent: "" },
    admission: { key: "", lane: "usual" },
  };
}

const answering =
  (accessToken: string): Grant =>
  () =>
    Promise.resolve({ accessToken, refreshToken: null, expiresIn: 1, userId: null, scope: null });

const grants = createGrants({
  password: answering("by password"),
  refresh_token: answering("by refresh token"),
  client_credentials: answering("by client"),
});

test.each([
  ["password", "by password"],
  ["refresh_token", "by refresh token"],
  ["client_credentials", "by client"],
])("a request is answered by the grant that it names: %s", async (grantType, accessToken) => {
  expect(await grants.issue(requestBy(grantType))).toMatchObject({ accessToken });
});

test.each(["", "Password", "authorization_code", "__proto__", "toString"])(
  "a request that names no grant of ours is refused: %j",
  async (grantType) => {
    await expect(grants.issue(requestBy(grantType))).rejects.toMatchObject({
      reason: "unsupported_grant_type",
      message: "The grant type is not supported.",
    });
  },
);

test("one grant alone is run also where the request leaves its name out", async () => {
  expect(await grants.issueBy("password", requestBy(""))).toMatchObject({ accessToken: "by password" });
  expect(await grants.issueBy("password", requestBy("password"))).toMatchObject({
    accessToken: "by password",
  });
  await expect(grants.issueBy("password", requestBy("refresh_token"))).rejects.toMatchObject({
    reason: "unsupported_grant_type",
    message: "The grant type is not supported here; use password.",
  });
});
