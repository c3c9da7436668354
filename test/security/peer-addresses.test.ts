import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { eventually } from "../_harness/eventually.ts";
import { countFrom, readLastLogin } from "../_harness/rows/audit.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { expectUnharmed } from "./unharmed.ts";

/** An address of this machine that means nothing without its zone; undefined where it has none. */
const linkLocal = Object.entries(networkInterfaces())
  .flatMap(([name, addresses = []]) => addresses.map(({ address }) => ({ address, zone: name })))
  .find(({ address }) => address.startsWith("fe80:"));

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService({ env: { HOST: "::", TRUSTED_PROXIES: "127.0.0.1" } });
  sql = await openSql(service.databaseUrl);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

interface Attempt {
  readonly host?: string;
  readonly forwardedFor?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

function logIn({ host = "127.0.0.1", forwardedFor, parameters = {} }: Attempt): Promise<number> {
  const body = new URLSearchParams({ ...service.admin, ...parameters }).toString();
  const headers = {
    host: "localhost",
    "content-type": "application/x-www-form-urlencoded",
    ...(forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor }),
  };
  return new Promise((resolve, reject) => {
    const call = request({
      host,
      port: service.port,
      path: "/auth/login",
      method: "POST",
      headers,
      agent: false,
    });
    call.once("error", reject);
    call.once("response", (answer) => {
      text(answer).then(() => resolve(answer.statusCode ?? 0), reject);
    });
    call.end(body);
  });
}

const lastLoginFrom = async () => (await readLastLogin(sql))?.address;

/** How many failed client authentications from this address have been counted. */
const counted = (address: string) => countFrom(sql, "client.authentication_failed", address);

describe("a caller signs in, and the trail has its address in one spelling:", () => {
  test.each([
    ["IPv4 in IPv6's clothes", "::ffff:192.0.2.7", "192.0.2.7"],
    ["the same in hexadecimal and brackets", "[::FFFF:C000:0207]:443", "192.0.2.7"],
    ["IPv6 written at length", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["a zone behind a proxy", "fe80::1%eth0", "127.0.0.1"],
    ["an encoded zone behind a proxy", "fe80::1%25eth0", "127.0.0.1"],
    ["no address", "unknown", "127.0.0.1"],
    ["octets that some read as octal", "192.0.2.010", "127.0.0.1"],
  ])("%s", async (_what, forwardedFor, address) => {
    expect(await logIn({ forwardedFor })).toBe(200);
    expect(await lastLoginFrom()).toBe(address);
  });

  test("a link-local peer, whose address has a zone, where this machine has one", async () => {
    const { address, zone } = linkLocal ?? { address: "127.0.0.1", zone: "" };
    const host = zone === "" ? address : `${address}%${zone}`;
    expect(await logIn({ host })).toBe(200);
    expect(await lastLoginFrom()).toBe(address);
    // A counted event of it keeps no other from being written.
    const unknown = { client_id: "nobody" };
    expect(await logIn({ host, parameters: unknown })).toBe(401);
    expect(await logIn({ forwardedFor: "198.51.100.9", parameters: unknown })).toBe(401);
    await eventually(
      async () => (await counted("198.51.100.9")) === 1 && (await counted(address)) === 1,
      30_000,
    );
    const logged = service.logs().filter(({ client_address: logged }) => String(logged).includes("%"));
    expect(logged).toEqual([]);
  });

  test("and the service is as well as before", async () => {
    await expectUnharmed(service);
  });
});
