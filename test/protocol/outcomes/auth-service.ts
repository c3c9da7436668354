import { expect } from "@jest/globals";
import { decodeJwt } from "jose";
import * as given from "../../_harness/given.ts";
import { bearerOf } from "../../_harness/rest.ts";
import type { NewUserRow } from "../../_harness/rows/users.ts";
import type { OutcomeCase, PreparedCall, ServiceOutcomes } from "./outcome-case.ts";
import { passwordCases } from "./password-cases.ts";
import { refreshCases } from "./refresh-cases.ts";
import {
  doubleClient,
  required,
  time,
  tokenCases,
  throttled,
  tokenResponse,
  unreadable,
} from "./shared-cases.ts";
import type { World } from "./world.ts";

const withToken = async (world: World) => ({
  headers: bearerOf((await given.session(world.service)).access_token),
});

/** A change of password by a new user. */
async function change(world: World, values: Readonly<Record<string, string>> = {}) {
  const user = await given.user(world.service);
  const { access_token } = await given.session(world.service, { user });
  return {
    user,
    call: {
      headers: bearerOf(access_token),
      input: { current_password: user.password, new_password: "another long password", ...values },
    },
  };
}

const passwords = { current_password: "old password", new_password: "another long password" };

/** A change of the password of a new user, who shows a name in place of a token. */
async function byName(
  world: World,
  options: Partial<NewUserRow>,
  input: Readonly<Record<string, string>> = {},
): Promise<PreparedCall> {
  const { username, password } = await given.user(world.service, options);
  return { input: { ...passwords, current_password: password, username, ...input } };
}

/** Every outcome of every RPC of AuthService. */
export const authServiceOutcomes: ServiceOutcomes = {
  Login: [
    throttled({ username: "a" }),
    ...passwordCases({}),
    unreadable,
    doubleClient({ username: "admin", password: "x" }),
    {
      outcome: "unsupported_grant_type",
      prepare: () => ({ input: { grant_type: "client_credentials", username: "a", password: "b" } }),
    },
  ],
  Refresh: [
    throttled({ refresh_token: "x" }),
    ...refreshCases({}),
    unreadable,
    doubleClient({ refresh_token: "x" }),
    {
      outcome: "unsupported_grant_type",
      prepare: () => ({ input: { grant_type: "password", refresh_token: "x" } }),
    },
  ],
  Logout: [
    throttled({ refresh_token: "x" }),
    {
      outcome: "ok",
      what: "a refresh token",
      prepare: async (world) => ({
        input: { refresh_token: (await given.session(world.service)).refresh_token },
      }),
      message: {},
    },
    { outcome: "ok", what: "an access token", prepare: withToken, message: {} },
    unreadable,
    doubleClient({ refresh_token: "x" }),
    {
      outcome: "validation_failed",
      prepare: () => ({ input: { refresh_token: "t".repeat(1025) } }),
      fields: [{ field: "refresh_token", detail: "must be at most 1024 characters" }],
    },
    { outcome: "invalid_refresh_token", prepare: () => ({ input: { refresh_token: "csr_forged" } }) },
    {
      outcome: "invalid_client",
      async prepare(world) {
        const { refresh_token } = await given.session(world.service);
        return { input: { refresh_token, client_id: "nobody" } };
      },
    },
    ...tokenCases(),
  ],
  ChangePassword: [
    throttled(passwords),
    {
      outcome: "ok",
      prepare: async (world) => (await change(world)).call,
      message: tokenResponse,
    },
    unreadable,
    {
      outcome: "validation_failed",
      what: "a wrong current password",
      prepare: async (world) => (await change(world, { current_password: "wrong" })).call,
      fields: [{ field: "current_password", detail: "is wrong" }],
    },
    {
      outcome: "validation_failed",
      what: "no new password",
      prepare: async (world) => (await change(world, { new_password: "" })).call,
      fields: [required("new_password")],
    },
    {
      outcome: "conflict",
      oneByOne: true,
      async prepare(world) {
        const { user, call } = await change(world);
        return { ...call, meanwhile: await world.overtake(user) };
      },
    },
    {
      outcome: "overloaded",
      setting: "overloaded",
      prepare: async (world) => (await change(world)).call,
    },
    {
      outcome: "ok",
      what: "by name, of a user who has to",
      prepare: async (world) => byName(world, { mustChangePassword: true }),
      message: tokenResponse,
    },
    {
      outcome: "invalid_credentials",
      prepare: async (world) => byName(world, {}, { current_password: "wrong" }),
    },
    { outcome: "invalid_client", prepare: async (world) => byName(world, {}, { client_id: "nobody" }) },
    {
      outcome: "unauthorized_client",
      async prepare(world) {
        const { id } = await world.addClient({ public: true, grants: ["refresh_token"] });
        return byName(world, {}, { client_id: id });
      },
    },
    ...(["pending", "suspended", "deactivated"] as const).map((status): OutcomeCase => {
      return { outcome: `account_${status}`, prepare: async (world) => byName(world, { status }) };
    }),
    ...tokenCases(passwords),
  ],
  ListSessions: [
    {
      outcome: "ok",
      prepare: withToken,
      message: {
        sessions: [
          {
            id: expect.stringMatching(/^ses_\w+$/),
            client_id: "countersign",
            current: true,
            created_at: time,
            last_used_at: time,
            idle_expires_at: time,
            expires_at: time,
            client_address: "127.0.0.1",
            user_agent: expect.any(String),
          },
        ],
      },
    },
    ...tokenCases(),
  ],
  RevokeSession: [
    {
      outcome: "ok",
      async prepare(world) {
        const { access_token } = await given.session(world.service);
        return {
          headers: bearerOf(access_token),
          input: { session_id: String(decodeJwt(access_token)["sid"]) },
        };
      },
      message: {},
    },
    {
      outcome: "not_found",
      what: "no session at all",
      prepare: async (world) => ({ ...(await withToken(world)), input: { session_id: "ses_none" } }),
    },
    {
      outcome: "not_found",
      what: "a session of somebody else",
      async prepare(world) {
        const { access_token } = await given.session(world.service);
        return {
          ...(await withToken(world)),
          input: { session_id: String(decodeJwt(access_token)["sid"]) },
        };
      },
    },
    {
      outcome: "validation_failed",
      prepare: async (world) => ({ ...(await withToken(world)), input: { session_id: "s".repeat(65) } }),
      fields: [{ field: "session_id", detail: "must be at most 64 characters" }],
    },
    ...tokenCases({ session_id: "ses_none" }),
  ],
  RevokeAllSessions: [{ outcome: "ok", prepare: withToken, message: {} }, ...tokenCases()],
  GetCurrentUser: [
    {
      outcome: "ok",
      async prepare(world) {
        const user = await given.user(world.service, { roles: ["admin", "ops"] });
        return { headers: bearerOf((await given.session(world.service, { user })).access_token) };
      },
      message: {
        id: expect.stringMatching(/^usr_[0-9a-z]{26}$/),
        username: expect.stringMatching(/^user/),
        is_active: true,
        status: "active",
        roles: ["admin", "ops"],
        created_at: time,
        last_login_at: time,
      },
    },
    ...tokenCases(),
  ],
};
