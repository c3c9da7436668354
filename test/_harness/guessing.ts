import { api } from "./api.ts";
import type { TestUser } from "./given.ts";

/** What a service needs so that tests can come from any address. */
export const trustingLoopback = { TRUSTED_PROXIES: "127.0.0.0/8" };

/** Signs in, and answers the device token. */
export async function knowDevice(url: string, user: TestUser, address: string): Promise<string> {
  const { json, status } = await api(url).rest.login({ ...user, address, rememberDevice: true });
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
