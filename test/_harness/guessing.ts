import type { JsonObject } from "@bufbuild/protobuf";
import { sendForm } from "./rest.ts";

/** What a service needs so that tests can come from any address. */
export const trustingLoopback = { TRUSTED_PROXIES: "127.0.0.0/8" };

/** A login from an address, and what came of it. */
export interface LoginTry {
  readonly username: string;
  readonly password?: string;
  readonly address?: string;
  readonly deviceToken?: string;
  readonly rememberDevice?: boolean;
}

/** What came of a login. */
export interface LoginResult {
  readonly status: number;
  readonly headers: Headers;
  readonly json: JsonObject;
  readonly text: string;
}

/** Signs in over REST. Without a password it is a wrong one. */
export function tryLogin(url: string, attempt: LoginTry): Promise<LoginResult> {
  const { username, password = "wrong", address, deviceToken, rememberDevice } = attempt;
  return sendForm(
    `${url}/auth/login`,
    {
      username,
      password,
      ...(deviceToken === undefined ? {} : { device_token: deviceToken }),
      ...(rememberDevice === undefined ? {} : { remember_device: String(rememberDevice) }),
    },
    address === undefined ? {} : { "x-forwarded-for": address },
  );
}

/** Signs in, and answers the device token. */
export async function knowDevice(
  url: string,
  user: { readonly username: string; readonly password: string },
  address: string,
): Promise<string> {
  const { json, status } = await tryLogin(url, { ...user, address, rememberDevice: true });
  const token = json["device_token"];
  if (typeof token !== "string") throw new Error(`The login was answered ${status} without a device token.`);
  return token;
}

/** How many answers have each status. */
export function countStatuses(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** An IPv4 address for each number below 2^24. */
export function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
