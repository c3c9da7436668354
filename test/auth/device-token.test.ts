import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createDeviceTokens } from "../../src/domain/known-device/device-tokens.ts";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";
import { api } from "../_harness/api.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { addressOf, countStatuses, knowDevice, trustingLoopback } from "../_harness/guessing.ts";
import { bearerOf, send, sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService, testSecretKey } from "../_harness/service.ts";
import { textOf } from "../_harness/text-of.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({
    env: {
      ...trustingLoopback,
      // Two wrong passwords from anywhere, and strangers are told to wait.
      THROTTLE_FAILURES_ACCOUNT: "2/30d",
      THROTTLE_FAILURES_ACCOUNT_ADDRESS: "2/30d",
    },
  });
}, longTimeoutMs);
afterAll(() => service.stop());

/** Nobody gets in from here any more without a known device. */
async function slow(username: string, address: string): Promise<void> {
  for (let guess = 0; guess < 4; guess += 1) await api(service).rest.login({ username, address });
}

const address = "192.0.2.1";

/** Whether a token tells a known device, where strangers have to wait. */
async function isKnown(user: given.TestUser, deviceToken: string): Promise<boolean> {
  await slow(user.username, address);
  const { status } = await api(service).rest.login({ ...user, address, deviceToken });
  expect([200, 429]).toContain(status);
  return status === 200;
}

describe("a device token", () => {
  test("is answered to a login that asks for one, over REST and at the token endpoint", async () => {
    const user = await given.user(service, { username: "asks" });
    const form = { grant_type: "password", ...given.credentialsOf(user), remember_device: "true" };
    for (const path of ["/auth/login", "/auth/token"]) {
      const { json } = await sendForm(service.url + path, form);
      expect(json).toEqual({
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: "bearer",
        expires_in: 900,
        device_token: expect.stringMatching(/^csd_[\w-]{78}$/),
      });
    }
  });

  test("travels in a cookie that no page can read, for browsers that ask for cookies", async () => {
    const user = given.credentialsOf(await given.user(service, { username: "browses" }));
    const post = async (body: object, cookie = "") => {
      const answer = await fetch(`${service.url}/auth/login`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-auth-mode": "cookie",
          "x-forwarded-for": address,
          cookie,
        },
        body: JSON.stringify(body),
      });
      const device = answer.headers.getSetCookie().filter((line) => line.startsWith("countersign_device="));
      return { status: answer.status, text: await answer.text(), device };
    };
    const line =
      /^countersign_device=(csd_[\w-]{78}); Max-Age=\d+; Path=\/; Secure; SameSite=Strict; HttpOnly$/;
    expect((await post(user)).device).toEqual([]);
    const first = await post({ ...user, remember_device: true });
    expect(first).toMatchObject({ status: 200, device: [expect.stringMatching(line)] });
    expect(first.text).not.toContain("csd_");
    await slow(user.username, address);
    expect(await post(user)).toMatchObject({ status: 429, device: [] });
    const [cookie = ""] = first.device[0]?.split(";") ?? [];
    const again = await post(user, cookie);
    expect(again).toMatchObject({ status: 200, device: [expect.stringMatching(line)] });
    expect(again.device).not.toEqual(first.device);
    // Two of one name contradict each other: the device is none that is known.
    expect(await post(user, `${cookie}; ${cookie}`)).toMatchObject({ status: 429 });
  });

  test("is new with each login that shows one, and the old one stays good", async () => {
    const user = await given.user(service, { username: "renews" });
    const first = await knowDevice(service.url, user, address);
    const { json } = await api(service).rest.login({ ...user, address, deviceToken: first });
    const second = textOf(json["device_token"]);
    expect(second).not.toBe(first);
    expect(await isKnown(user, second)).toBe(true);
    expect(await isKnown(user, first)).toBe(true);
  });

  test("is answered to no login that did not ask, and to none that failed", async () => {
    const user = await given.user(service, { username: "silent" });
    const plain = await api(service).rest.login({ ...user, address });
    expect(Object.keys(plain.json)).toEqual(["access_token", "refresh_token", "token_type", "expires_in"]);
    const failed = await api(service).rest.login({ username: "silent", address, rememberDevice: true });
    expect(failed.text).not.toContain("csd_");
  });

  test("lets its user in where strangers have to wait, and nobody else", async () => {
    const [user, other] = [
      await given.user(service, { username: "known" }),
      await given.user(service, { username: "other" }),
    ];
    const device = await knowDevice(service.url, user, address);
    expect(await isKnown(user, device)).toBe(true);
    expect(await isKnown(other, device)).toBe(false);
  });

  test("does not let a wrong password in, and is worthless after ten of them", async () => {
    const user = await given.user(service, { username: "ten" });
    const device = await knowDevice(service.url, user, address);
    await slow(user.username, address);
    const attempts = await Promise.all(
      Array.from({ length: 25 }, () =>
        api(service).rest.login({ username: "ten", address, deviceToken: device }),
      ),
    );
    expect(countStatuses(attempts)).toEqual({ 401: 10, 429: 15 });
    expect(await isKnown(user, device)).toBe(false);
    // From an address that has not failed there is a way in, and a new token.
    const renewed = await knowDevice(service.url, user, addressOf(1));
    expect(await isKnown(user, renewed)).toBe(true);
  });

  test("is not used up by right passwords", async () => {
    const user = await given.user(service, { username: "right" });
    const device = await knowDevice(service.url, user, address);
    for (let round = 0; round < 12; round += 1) expect(await isKnown(user, device)).toBe(true);
  });

  test("dies when all sessions are ended", async () => {
    const user = await given.user(service, { username: "ends" });
    const { json } = await api(service).rest.login({ ...user, address, rememberDevice: true });
    const headers = bearerOf(textOf(json["access_token"]));
    const { status } = await send(`${service.url}/auth/sessions`, { method: "DELETE", headers });
    expect(status).toBe(204);
    expect(await isKnown(user, textOf(json["device_token"]))).toBe(false);
  });

  test("dies when the password changes", async () => {
    const user = await given.user(service, { username: "changes" });
    const { json } = await api(service).rest.login({ ...user, address, rememberDevice: true });
    const password = "another horse battery";
    const { status } = await sendJson(
      `${service.url}/auth/change-password`,
      { current_password: user.password, new_password: password },
      bearerOf(textOf(json["access_token"])),
    );
    expect(status).toBe(200);
    expect(await isKnown({ ...user, password }, textOf(json["device_token"]))).toBe(false);
  });

  test("is in no log line", async () => {
    const user = await given.user(service, { username: "logged" });
    const device = await knowDevice(service.url, user, address);
    await api(service).rest.login({ ...user, address, deviceToken: device });
    await api(service).rest.login({ username: "logged", address, deviceToken: device });
    expect(service.output()).not.toContain("csd_");
  });
});

describe("by itself, a device token", () => {
  const secretKeys = createSecretKeys([testSecretKey, "another-test-secret-key-0123456789-abcdef"]);
  const owner = { userId: "usr_one", sessionEpoch: "3" };
  let now = 1_000_000_000_000;
  const tokens = createDeviceTokens({ secretKeys, ttlMs: 60_000, now: () => now });

  test("is its user's alone, at that user's counter alone", () => {
    const token = tokens.issue(owner);
    expect(tokens.read(token, owner)).toMatch(/^[\w-]{22}$/);
    expect(tokens.read(token, { ...owner, userId: "usr_two" })).toBeNull();
    expect(tokens.read(token, { ...owner, sessionEpoch: "4" })).toBeNull();
    expect(tokens.isGenuine(token)).toBe(true);
  });

  test("expires", () => {
    const token = tokens.issue(owner);
    now += 59_000;
    expect(tokens.isGenuine(token)).toBe(true);
    now += 1_000;
    expect([tokens.isGenuine(token), tokens.read(token, owner)]).toEqual([false, null]);
  });

  test("is accepted under every key of SECRET_KEY, and under no other", () => {
    const of = (secrets: readonly string[]) =>
      createDeviceTokens({ secretKeys: createSecretKeys(secrets), ttlMs: 60_000, now: () => now });
    const second = "another-test-secret-key-0123456789-abcdef";
    const token = of([second]).issue(owner);
    expect(tokens.isGenuine(token)).toBe(true);
    expect(of([testSecretKey]).isGenuine(token)).toBe(false);
  });

  test("is none any more when any one character has changed", () => {
    const token = tokens.issue(owner);
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === "A" ? "B" : "A";
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      expect(tokens.read(changed, owner)).toBeNull();
    }
    for (const text of ["", "csd_", `${token}=`, `${token} `, token.slice(4), `${token}A`]) {
      expect(tokens.isGenuine(text)).toBe(false);
    }
  });
});
