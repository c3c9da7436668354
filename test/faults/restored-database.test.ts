import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { decodeProtectedHeader } from "jose";
import type { Client } from "pg";
import { requireTokens, type Tokens } from "../_harness/answer.ts";
import { api } from "../_harness/api.ts";
import { type Backup, takeBackup } from "../_harness/backup.ts";
import { addClient, postOf, type TestClient } from "../_harness/clients.ts";
import { eventually } from "../_harness/eventually.ts";
import { type Fleet, startFleet } from "../_harness/fleet.ts";
import * as given from "../_harness/given.ts";
import { bearerOf, send, sendForm } from "../_harness/rest.ts";
import { untilWaiting } from "../_harness/rows/locks.ts";
import { lockUser, readUser } from "../_harness/rows/users.ts";
import { createTokenSigner } from "../_harness/sign-token.ts";
import { openSql, withSql } from "../_harness/sql.ts";

// A database that is put back to an older state has forgotten what has ended since.

jest.setTimeout(120_000);

let fleet: Fleet;
let sql: Client;
let user: given.TestUser & { readonly id: string };
let resource: TestClient;
let backup: Backup;
beforeAll(async () => {
  fleet = await startFleet(2);
}, 60_000);
afterAll(() => fleet.stop());

beforeEach(async () => {
  sql = await openSql(fleet.databaseUrl);
  user = await given.user(sql);
  resource = await addClient(sql, { grants: ["client_credentials"], canIntrospect: true });
});

const service = () => fleet.members()[0] ?? raise();
function raise(): never {
  throw new Error("No instance is running.");
}

async function issue(): Promise<Tokens> {
  return requireTokens(await api(fleet.nextUrl()).rest.login(user));
}

async function publishedKids(url: string): Promise<unknown[]> {
  const { json } = await send(`${url}/.well-known/jwks.json`);
  return (json["keys"] as unknown as { kid: string }[]).map(({ kid }) => kid);
}

async function tokenOfClient(): Promise<string> {
  const answer = await sendForm(`${fleet.nextUrl()}/auth/token`, {
    ...postOf(resource),
    grant_type: "client_credentials",
  });
  return answer.json["access_token"] as string;
}

async function isActive(url: string, token: string): Promise<unknown> {
  return (await sendForm(`${url}/auth/introspect`, { ...postOf(resource), token })).json["active"];
}

async function backUp(): Promise<void> {
  await sql.end();
  backup = await takeBackup(fleet.databaseUrl);
  await untilServed();
}

/** Puts the database back, and waits until every instance has found its way to it again. */
async function restore(): Promise<void> {
  await backup.restore();
  await backup.drop();
  await untilServed();
}

/** Both cut every instance off from the database. */
async function untilServed(): Promise<void> {
  for (const url of fleet.urls()) {
    await eventually(
      async () => (await api(url).rest.refresh("x")).status === 401 && (await canAsk(url)),
      20_000,
    );
  }
}

async function canAsk(url: string): Promise<boolean> {
  return (await api(url).rest.login({ username: "nobody", password: "nothing at all" })).status === 401;
}

/** Runs the command, and waits until every instance signs with the new key. */
async function recover(): Promise<void> {
  const { code, stdout, stderr } = await service().command(["recover", "--yes", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { kid } = JSON.parse(stdout) as { kid: string };
  for (const url of fleet.urls()) {
    await eventually(async () => JSON.stringify(await publishedKids(url)) === JSON.stringify([kid]));
  }
}

async function expectRefused(refreshToken: string): Promise<void> {
  for (const url of fleet.urls()) {
    expect(await api(url).rest.refresh(refreshToken)).toMatchObject({
      status: 401,
      reason: "invalid_refresh_token",
    });
  }
}

async function expectAllWell(): Promise<void> {
  for (const url of fleet.urls()) {
    const tokens = requireTokens(await api(url).rest.login(user));
    const next = requireTokens(await api(fleet.nextUrl()).rest.refresh(tokens.refresh_token));
    for (const taking of fleet.urls()) {
      expect(await api(taking).rest.me(next.access_token)).toMatchObject({ status: 200 });
    }
  }
}

describe("countersign recover, after a restore", () => {
  test("keeps ended what had ended since the backup, and ends what lived", async () => {
    const [loggedOut, living] = [await issue(), await issue()];
    await backUp();
    expect((await api(fleet.nextUrl()).rest.logout(loggedOut.refresh_token)).status).toBe(204);
    const younger = await issue();
    await restore();
    // What the command is for: the restored database has forgotten the logout.
    expect(await api(fleet.nextUrl()).rest.me(loggedOut.access_token)).toMatchObject({ status: 200 });
    await recover();
    for (const { refresh_token, access_token } of [loggedOut, living, younger]) {
      await expectRefused(refresh_token);
      for (const url of fleet.urls()) {
        expect(await api(url).rest.me(access_token)).toMatchObject({ status: 401 });
      }
    }
    await expectAllWell();
  });

  test("refuses a refresh token that was rotated since, and the one it was rotated from", async () => {
    const first = await issue();
    await backUp();
    const second = requireTokens(await api(fleet.nextUrl()).rest.refresh(first.refresh_token));
    const third = requireTokens(await api(fleet.nextUrl()).rest.refresh(second.refresh_token));
    await restore();
    await recover();
    for (const { refresh_token } of [first, second, third]) await expectRefused(refresh_token);
    await expectAllWell();
  });

  test("accepts nothing that is signed by a key that was dropped since the backup", async () => {
    const kid = decodeProtectedHeader((await issue()).access_token).kid ?? "";
    const forge = await createTokenSigner(service());
    await backUp();
    expect(await service().command(["key", "drop", kid])).toMatchObject({ code: 0 });
    await restore();
    // It is back, and so is what somebody signs with it who has it.
    for (const url of fleet.urls()) {
      await eventually(async () => (await publishedKids(url)).includes(kid));
    }
    await recover();
    // A session that lives, and whose id the holder of the key knows.
    const genuine = await issue();
    const forged = await forge(genuine.access_token, { header: { kid } });
    for (const url of fleet.urls()) {
      expect(await api(url).rest.me(forged)).toMatchObject({ status: 401 });
      expect(await isActive(url, forged)).toBe(false);
      expect(await api(url).rest.me(genuine.access_token)).toMatchObject({ status: 200 });
    }
    await expectAllWell();
  });

  test("lets no access token live that had been revoked since the backup", async () => {
    const [revoked, other] = [await tokenOfClient(), await tokenOfClient()];
    await backUp();
    await sendForm(`${fleet.nextUrl()}/auth/revoke`, { ...postOf(resource), token: revoked });
    expect(await isActive(fleet.nextUrl(), revoked)).toBe(false);
    await restore();
    // What the command is for: the restored database has forgotten the revocation.
    for (const url of fleet.urls()) expect(await isActive(url, revoked)).toBe(true);
    await recover();
    for (const url of fleet.urls()) {
      for (const token of [revoked, other]) expect(await isActive(url, token)).toBe(false);
      expect(await isActive(url, await tokenOfClient())).toBe(true);
    }
  });

  test("moves the counters past all that they had been, however often the same backup is restored", async () => {
    const readEpoch = async (): Promise<bigint> =>
      (await withSql(fleet.databaseUrl, (connection) => readUser(connection, user.username))).sessionEpoch;
    await backUp();
    const seen: bigint[] = [await readEpoch()];
    for (let round = 0; round < 3; round += 1) {
      for (let count = 0; count < 3; count += 1) {
        const { access_token } = await issue();
        await send(`${fleet.nextUrl()}/auth/sessions`, {
          method: "DELETE",
          headers: bearerOf(access_token),
        });
        seen.push(await readEpoch());
      }
      await backup.restore();
      await eventually(() => canAsk(service().url).catch(() => false));
      await recover();
      const epoch = await readEpoch();
      expect(seen.every((earlier) => earlier < epoch)).toBe(true);
      seen.push(epoch);
    }
    await backup.drop();
    for (const url of fleet.urls()) await eventually(() => canAsk(url));
    await expectAllWell();
  });

  test("leaves no live token to a login that overlaps with it", async () => {
    for (let round = 0; round < 4; round += 1) {
      // The login has read the user and its counter, and both meet at the user's row.
      await sql.query("begin");
      await lockUser(sql, user.id);
      let recovered: Promise<void> | null = null;
      if (round % 2 === 0) {
        recovered = recover();
        await untilWaiting(fleet.databaseUrl, 1);
      }
      const overlapping = api(fleet.nextUrl()).rest.login(user);
      await untilWaiting(fleet.databaseUrl, recovered === null ? 1 : 2);
      if (recovered === null) {
        recovered = recover();
        await untilWaiting(fleet.databaseUrl, 2);
      }
      await sql.query("commit");
      const [answer] = await Promise.all([overlapping, recovered]);
      expect([200, 401]).toContain(answer.status);
      await expectRefused(answer.tokens?.refresh_token ?? "none");
    }
    await sql.end();
    await expectAllWell();
  });
});
