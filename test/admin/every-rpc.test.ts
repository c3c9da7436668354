import { getOption, type JsonObject } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Client } from "pg";
import { builtinRoles } from "../../src/domain/role/builtin-roles.ts";
import { permissions } from "../../src/domain/role/permissions.ts";
import { access } from "../../src/gen/countersign/v1/options_pb.ts";
import * as given from "../_harness/given.ts";
import { addClient, basicOf } from "../_harness/clients.ts";
import { sendForm } from "../_harness/rest.ts";
import { restCallOf, services } from "../_harness/rest-call.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { openSql } from "../_harness/sql.ts";
import { textOf } from "../_harness/text-of.ts";
import { openTrail, type TrailRow } from "../_harness/rows/trail.ts";
import { insertRole } from "../_harness/rows/roles.ts";
import { forgetPublishedKeys, publishKey } from "../_harness/rows/signing-keys.ts";
import { type AdminCaller, callerWith, newName, signInWith } from "./callers.ts";

// What holds for every administrative RPC, enumerated over the contract: a new one cannot be forgotten.

const rpcs = services
  .flatMap((service) => service.methods)
  .flatMap((method) => {
    const { rule } = getOption(method, access);
    return rule.case === "permission" ? [{ method, name: method.name, permission: rule.value }] : [];
  });
const isChange = ({ method }: (typeof rpcs)[number]) =>
  method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;

let service: TestService;
let sql: Client;
beforeAll(async () => {
  service = await startService();
  sql = await openSql(service.databaseUrl);
}, 120_000);
afterAll(async () => {
  await sql.end();
  await service.stop();
});

const nobody = `usr_${"0".repeat(26)}`;

/** A request that would be good for whoever is allowed it, of an RPC by name. */
const requests: Readonly<Record<string, () => JsonObject | Promise<JsonObject>>> = {
  ListAuditEvents: () => ({}),
  FollowAuditEvents: () => ({ until_now: true }),
  ExportAuditEvents: () => ({ until: "2000-01-01T00:00:00Z" }),
  ListKeys: () => ({}),
  async RotateKey() {
    await forgetPublishedKeys(sql);
    return {};
  },
  DropKey: async () => ({ kid: await publishKey(sql) }),
  ResealKeys: () => ({}),
  CreateRole: () => ({ name: newName("role") }),
  GetRole: () => ({ name: "support" }),
  ListRoles: () => ({}),
  UpdateRole: async () => ({ name: await addRole(), description: "x" }),
  DeleteRole: async () => ({ name: await addRole() }),
  CreateClient: () => ({ client_id: newName("client"), grants: ["refresh_token"], scopes: ["orders"] }),
  GetClient: ofNewClient,
  BatchGetClients: async () => ({ client_ids: [(await ofNewClient()).client_id] }),
  ListClients: () => ({}),
  UpdateClient: async () => ({ ...(await ofNewClient()), name: "a@example.org", scopes: ["orders"] }),
  RotateClientSecret: ofNewClient,
  DeleteClient: ofNewClient,
  GetClientDeletion: ofNewClient,
  CreateUser: () => ({ username: newName("user"), password: secret }),
  ImportUsers: () => ({ user: { username: newName("user") } }),
  GetUser: ofNew,
  FindUser: () => ({ username: service.admin.username }),
  BatchGetUsers: async () => ({ user_ids: [(await ofNew()).user_id] }),
  ListUsers: () => ({}),
  UpdateUser: async () => ({ ...(await ofNew()), roles: ["support"], email: `${newName("a")}@example.org` }),
  SetUserPassword: async () => ({ ...(await ofNew()), password: secret }),
  RequirePasswordChange: ofNew,
  SuspendUser: ofNew,
  ReactivateUser: async () => ({ user_id: (await given.user(sql, { status: "suspended" })).id }),
  DeactivateUser: ofNew,
  DeleteUser: ofNew,
  ListUserSessions: ofNew,
  EndUserSession: withSession,
  EndUserSessions: ofNew,
  ForgetUserDevices: ofNew,
};
const secret = "seventeen quiet herons";

async function addRole(): Promise<string> {
  const name = newName("role");
  await insertRole(sql, name);
  return name;
}

async function ofNewClient() {
  return { client_id: (await addClient(sql, { grants: ["client_credentials"] })).id };
}

async function ofNew() {
  return { user_id: (await given.user(sql)).id };
}

async function withSession() {
  const { userId, sid } = await given.session(service);
  return { user_id: userId, session_id: sid };
}

async function callBy(caller: AdminCaller, name: string) {
  const rpc = rpcs.find((one) => one.name === name);
  const make = requests[name];
  if (rpc === undefined || make === undefined) throw new Error(`there is no request of ${name}`);
  const input = await make();
  const { method, path, rest } = restCallOf(rpc.method, input);
  const type = rpc.method.methodKind === "client_streaming" ? "application/x-ndjson" : "application/json";
  return { input, answer: await caller(method, path, rest ?? undefined, type) };
}

async function machineWith(...scopes: string[]): Promise<{ id: string; call: AdminCaller }> {
  const client = await addClient(sql, { grants: ["client_credentials"], scopes });
  const form = { grant_type: "client_credentials", scope: scopes.join(" ") };
  const { json } = await sendForm(`${service.url}/auth/token`, form, basicOf(client));
  return { id: client.id, call: callerWith(service.url, textOf(json["access_token"])) };
}

test("every administrative RPC has a request here, and every permission an RPC or a use case", () => {
  expect(Object.keys(requests).toSorted()).toEqual(rpcs.map(({ name }) => name).toSorted());
  const asked = new Set([...rpcs.map(({ permission }) => permission), "users.set_roles"]);
  expect([...asked].toSorted()).toEqual(permissions.toSorted());
});

describe("an administrative RPC is refused", () => {
  let plain: AdminCaller;
  let support: AdminCaller;
  let machine: AdminCaller;
  beforeAll(async () => {
    plain = (await signInWith(service)).call;
    support = (await signInWith(service, "support")).call;
    ({ call: machine } = await machineWith("profile"));
  });

  test.each(rpcs)("$name: to a plain user and to a machine without the permission", async ({ name }) => {
    for (const caller of [plain, machine]) {
      const { answer } = await callBy(caller, name);
      expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
    }
  });

  const ofSupport: readonly string[] =
    builtinRoles.find((role) => role.name === "support")?.permissions ?? [];
  test.each(rpcs.filter(({ permission }) => !ofSupport.includes(permission)))(
    "$name: to a support user",
    async ({ name }) => {
      const { answer } = await callBy(support, name);
      expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
    },
  );

  test.each(rpcs.filter(isChange))(
    "$name: to a holder of a role with every other permission",
    async (rpc) => {
      const name = newName("role");
      const others = permissions.filter((each) => each !== rpc.permission);
      await insertRole(sql, name, others);
      const { call } = await signInWith(service, name);
      const { answer } = await callBy(call, rpc.name);
      expect([answer.status, answer.json["reason"]]).toEqual([403, "permission_denied"]);
    },
  );

  test.each(rpcs)("$name: without a token", async ({ name }) => {
    const { answer } = await callBy(callerWith(service.url, ""), name);
    expect(answer.status).toBe(401);
  });
});

describe("a change writes one row: who, what, whom, from where, and no secret", () => {
  let newRows: () => Promise<TrailRow[]>;
  let byUser: AdminCaller;
  let userId: string;
  let byMachine: { id: string; call: AdminCaller };
  beforeAll(async () => {
    ({ id: userId, call: byUser } = await signInWith(service, "admin"));
    byMachine = await machineWith("countersign.admin");
    newRows = openTrail(sql);
    await newRows();
  });

  test.each(rpcs.filter(isChange))("$name", async ({ name }) => {
    for (const [kind, id, call] of [
      ["user", userId, byUser],
      ["client", byMachine.id, byMachine.call],
    ] as const) {
      const { answer, input } = await callBy(call, name);
      expect([answer.status, answer.text]).toEqual([expect.any(Number), expect.any(String)]);
      expect(answer.status).toBeLessThan(300);
      const rows = (await newRows()).filter(({ type }) => type !== "login.succeeded");
      expect(rows).toEqual([
        expect.objectContaining({
          actor_kind: kind,
          actor_id: id,
          client_address: "127.0.0.1",
          request_id: expect.any(String),
          ...("user_id" in input ? { user_id: input["user_id"] } : {}),
          ...("client_id" in input ? { client_id: input["client_id"] } : {}),
        }),
      ]);
      expect(JSON.stringify(rows)).not.toContain("csc_");
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(JSON.stringify(rows)).not.toContain("example.org");
    }
  });

  test.each(rpcs.filter((rpc) => !isChange(rpc)))(
    "$name changes nothing, and writes none",
    async ({ name }) => {
      await callBy(byUser, name);
      expect((await newRows()).filter(({ type }) => type !== "login.succeeded")).toEqual([]);
    },
  );

  test("a refused change writes none", async () => {
    const answer = await byUser("POST", `/admin/users/${nobody}:suspend`);
    expect(answer.status).toBe(404);
    expect(await newRows()).toEqual([]);
  });
});
