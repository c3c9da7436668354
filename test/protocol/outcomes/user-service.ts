import { randomBytes } from "node:crypto";
import { expect } from "@jest/globals";
import * as given from "../../_harness/given.ts";
import type { NewUserRow } from "../../_harness/rows/users.ts";
import { administratorCases, byAdmin, signInAdmin } from "./administrator-cases.ts";
import type { OutcomeCase, PreparedCall, ServiceOutcomes } from "./outcome-case.ts";
import { required, time, unreadable, unreadableWith } from "./shared-cases.ts";
import type { World } from "./world.ts";

type Input = NonNullable<PreparedCall["input"]>;

const newName = () => `user${randomBytes(6).toString("hex")}`;
const nobody = `usr_${"0".repeat(26)}`;
const anyDetail = expect.any(String) as unknown as string;
const etag = expect.stringMatching(/^[\w-]{22}$/);
const password = "seventeen quiet herons";

/** What every answer of one user has. */
const user = (more: object) =>
  expect.objectContaining({
    id: expect.stringMatching(/^usr_/),
    status: "active",
    must_change_password: false,
    created_at: time,
    etag,
    ...more,
  });

/** The request of a new user. */
function ofNew(more: Input = {}, options: Partial<NewUserRow> = {}) {
  return async (world: World): Promise<Input> => {
    const { id } = await given.user(world.service, options);
    return { user_id: id, ...more };
  };
}

const ok = (message: unknown, prepare: OutcomeCase["prepare"]): OutcomeCase => ({
  outcome: "ok",
  message,
  prepare,
});
const invalid = (field: string, input: Input): OutcomeCase => ({
  outcome: "validation_failed",
  what: `a wrong ${field}`,
  prepare: byAdmin(() => input),
  fields: [{ field, detail: anyDetail }],
});
const longId = invalid("user_id", { user_id: "x".repeat(129) });

/** Of an RPC that is about one user. */
function aboutOne(more: Input = {}): readonly OutcomeCase[] {
  return [
    unreadableWith({ user_id: nobody, ...more }),
    { outcome: "not_found", prepare: byAdmin(() => ({ user_id: nobody, ...more })) },
    ...administratorCases({ user_id: nobody, ...more }),
  ];
}

/** Of an RPC that changes one user, in a state that can be named. */
function changes(more: Input = {}): readonly OutcomeCase[] {
  return [
    {
      outcome: "conflict",
      what: "an old etag",
      prepare: byAdmin(ofNew({ ...more, etag: "old" })),
    },
    { ...longId, prepare: byAdmin(() => ({ user_id: "x".repeat(129), ...more })) },
    {
      outcome: "permission_denied",
      what: "what nobody does to somebody above them",
      async prepare(world) {
        const input = await ofNew(more, { roles: ["admin"] })(world);
        return { headers: (await world.signInOnce(["user_admin"])).headers, input };
      },
    },
    ...aboutOne(more),
  ];
}

/** The request of a new user's session. */
async function withSession(world: World) {
  const { userId, sid } = await given.session(world.service);
  return { user_id: userId, session_id: sid };
}

const overloaded = (make: (world: World) => Input | Promise<Input>): OutcomeCase => ({
  outcome: "overloaded",
  setting: "overloaded",
  prepare: byAdmin(make),
});

/** Every outcome of every RPC of UserService. */
export const userServiceOutcomes: ServiceOutcomes = {
  CreateUser: [
    ok(
      user({ has_password: true, roles: ["support"], display_name: "Ada", locale: "en-GB" }),
      byAdmin(() => ({
        username: newName(),
        password,
        roles: ["support"],
        display_name: "Ada",
        locale: "en-GB",
      })),
    ),
    {
      ...ok(
        user({ has_password: false, status: "pending", email: expect.stringMatching(/@/) }),
        byAdmin(() => ({ email: `${newName()}@example.org`, status: "pending" })),
      ),
      what: "an address alone, without a password",
    },
    unreadable,
    invalid("username", { display_name: "Ada" }),
    invalid("status", { username: "ada", status: "suspended" }),
    invalid("password", { username: "ada", password: "short" }),
    invalid("roles", { username: "ada", roles: ["no-such-role"] }),
    {
      outcome: "permission_denied",
      what: "a role that permits what the caller lacks",
      prepare: async (world) => ({
        headers: (await world.signInOnce(["user_admin"])).headers,
        input: { username: newName(), roles: ["admin"] },
      }),
    },
    {
      outcome: "already_exists",
      prepare: byAdmin(async (world) => ({ username: (await given.user(world.service)).username })),
    },
    {
      outcome: "conflict",
      what: "a request_id that was used for something else",
      async prepare(world) {
        const { headers } = await signInAdmin(world);
        const id = newName();
        const send = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
        const body = JSON.stringify({ username: newName(), request_id: id });
        await fetch(`${world.service.url}/admin/users`, { ...send, body });
        return { headers, input: { username: newName(), request_id: id } };
      },
    },
    overloaded(() => ({ username: newName(), password })),
    ...administratorCases({ username: "ada" }),
  ],
  ImportUsers: [
    {
      outcome: "ok",
      // One caller has few streams at a time.
      oneByOne: true,
      prepare: byAdmin(() => ({ user: { username: newName(), roles: ["support"] } })),
      message: { created: 1, existing: 0, refused: 0, refusals: [] },
    },
    {
      outcome: "ok",
      what: "a user who is refused, in a dry run",
      oneByOne: true,
      prepare: byAdmin(() => ({ user: { username: newName(), email: "nobody" }, dry_run: true })),
      message: {
        created: 0,
        existing: 0,
        refused: 1,
        refusals: [{ place: 1, field: "email", code: "bad_form", detail: anyDetail }],
      },
    },
    {
      // The messages of a stream are read after its caller is known.
      ...unreadable,
      oneByOne: true,
      prepare: async (world) => ({
        headers: (await signInAdmin(world)).headers,
        unreadable: true,
        input: { user: {} },
      }),
    },
    {
      outcome: "rate_limited",
      what: "a caller with eight streams",
      prepare: async (world) => ({
        headers: await world.openStreams(),
        input: { user: { username: newName() } },
      }),
    },
    ...administratorCases({ user: { username: "somebody" } }),
  ],
  GetUser: [ok(user({ roles: [], has_password: true }), byAdmin(ofNew())), longId, ...aboutOne()],
  FindUser: [
    ok(
      user({ roles: [] }),
      byAdmin(async (world) => ({ username: (await given.user(world.service)).username.toUpperCase() })),
    ),
    {
      ...ok(
        user({ email: expect.stringMatching(/@/) }),
        byAdmin(async (world) => {
          const email = `${newName()}@example.org`;
          await given.user(world.service, { email });
          return { email };
        }),
      ),
      what: "by address",
    },
    unreadable,
    invalid("username", {}),
    { outcome: "not_found", prepare: byAdmin(() => ({ username: "nobody" })) },
    ...administratorCases({ username: "nobody" }),
  ],
  BatchGetUsers: [
    ok(
      { users: [user({}), user({})] },
      byAdmin(async (world) => {
        const users = [await given.user(world.service), await given.user(world.service)];
        return { user_ids: users.map(({ id }) => id) };
      }),
    ),
    unreadable,
    invalid("user_ids", { user_ids: Array.from({ length: 101 }, () => "x") }),
    { outcome: "not_found", prepare: byAdmin(() => ({ user_ids: [nobody] })) },
    ...administratorCases({ user_ids: [nobody] }),
  ],
  ListUsers: [
    ok(
      { users: [user({})], next_page_token: "" },
      byAdmin(async (world) => ({ filter: `username = "${(await given.user(world.service)).username}"` })),
    ),
    unreadable,
    invalid("filter", { filter: "shoe_size = 44" }),
    invalid("order_by", { order_by: "shoe_size" }),
    invalid("page_token", { page_token: "bm90IG91cnM" }),
    ...administratorCases(),
  ],
  UpdateUser: [
    ok(
      user({ email: expect.stringMatching(/@/), roles: ["support"] }),
      byAdmin(async (world) => ({
        ...(await ofNew()(world)),
        email: `${newName()}@example.org`,
        roles: ["support"],
        update_mask: "username,email,roles",
      })),
    ),
    { ...invalid("email", {}), prepare: byAdmin(ofNew({ email: "nowhere" })) },
    {
      outcome: "already_exists",
      prepare: byAdmin(async (world) => ({
        ...(await ofNew()(world)),
        username: (await given.user(world.service)).username,
      })),
    },
    ...changes({ locale: "fr" }),
  ],
  SetUserPassword: [
    ok(
      user({ has_password: true, must_change_password: true }),
      byAdmin(ofNew({ password, must_change_password: true })),
    ),
    {
      outcome: "validation_failed",
      what: "no password",
      prepare: byAdmin(ofNew({ must_change_password: true })),
      fields: [required("password")],
    },
    overloaded(ofNew({ password })),
    ...changes({ password }),
  ],
  RequirePasswordChange: [ok(user({ must_change_password: true }), byAdmin(ofNew())), ...changes()],
  SuspendUser: [
    ok(user({ status: "suspended" }), byAdmin(ofNew())),
    {
      outcome: "conflict",
      what: "a user who is not active",
      prepare: byAdmin(ofNew({}, { status: "pending" })),
    },
    ...changes(),
  ],
  ReactivateUser: [
    ok(user({ status: "active" }), byAdmin(ofNew({}, { status: "suspended" }))),
    {
      outcome: "permission_denied",
      what: "who was not suspended, by support",
      async prepare(world) {
        const input = await ofNew({}, { status: "deactivated" })(world);
        return { headers: (await world.signInOnce(["support"])).headers, input };
      },
    },
    ...changes(),
  ],
  DeactivateUser: [ok(user({ status: "deactivated" }), byAdmin(ofNew())), ...changes()],
  DeleteUser: [ok({}, byAdmin(ofNew())), ...changes()],
  ListUserSessions: [
    ok(
      { sessions: [expect.objectContaining({ id: expect.stringMatching(/^ses_/), current: false })] },
      byAdmin(async (world) => ({ user_id: (await withSession(world)).user_id })),
    ),
    longId,
    ...aboutOne(),
  ],
  EndUserSession: [
    ok({}, byAdmin(withSession)),
    { outcome: "not_found", what: "no such session", prepare: byAdmin(ofNew({ session_id: "ses_none" })) },
    { ...longId, prepare: byAdmin(() => ({ user_id: "x".repeat(129), session_id: "ses_none" })) },
    ...aboutOne({ session_id: "ses_none" }),
  ],
  EndUserSessions: [ok({}, byAdmin(ofNew())), longId, ...aboutOne()],
  ForgetUserDevices: [ok({}, byAdmin(ofNew())), longId, ...aboutOne()],
};
