import * as given from "../../_harness/given.ts";
import { required, tokenResponse } from "./shared-cases.ts";
import type { OutcomeCase, PreparedCall } from "./outcome-case.ts";
import type { World } from "./world.ts";

type Parameters = Readonly<Record<string, string | string[]>>;

/** The outcomes of signing in with a password, by the RPC for it or at the token endpoint. */
export function passwordCases(grant: Parameters): readonly OutcomeCase[] {
  const as =
    (change: Parameters, status: "active" | "pending" | "suspended" | "deactivated" = "active") =>
    async (world: World): Promise<PreparedCall> => ({
      input: { ...grant, ...given.credentialsOf(await given.user(world.service, { status })), ...change },
    });
  return [
    { outcome: "ok", what: "a password", prepare: as({ scope: "mail" }), message: tokenResponse },
    { outcome: "invalid_scope", what: "at a login", prepare: as({ scope: "admin" }) },
    {
      outcome: "invalid_target",
      what: "at a login",
      prepare: as({ resource: ["https://nobody.example.org"] }),
    },
    {
      outcome: "validation_failed",
      what: "no username and password",
      prepare: () => ({ input: { ...grant, scope: "mail" } }),
      fields: [required("username"), required("password")],
    },
    {
      outcome: "validation_failed",
      what: "a long scope",
      prepare: as({ scope: "s".repeat(1025) }),
      fields: [{ field: "scope", detail: "must be at most 1024 characters" }],
    },
    { outcome: "invalid_credentials", what: "a wrong password", prepare: as({ password: "wrong" }) },
    { outcome: "invalid_credentials", what: "an unknown user", prepare: as({ username: "nobody" }) },
    { outcome: "invalid_client", what: "an unknown client", prepare: as({ client_id: "nobody" }) },
    {
      outcome: "unauthorized_client",
      what: "a client that is not for passwords",
      async prepare(world) {
        const { id } = await world.addClient({ public: true, grants: ["refresh_token"] });
        return as({ client_id: id })(world);
      },
    },
    { outcome: "account_pending", prepare: as({}, "pending") },
    { outcome: "account_suspended", prepare: as({}, "suspended") },
    { outcome: "account_deactivated", prepare: as({}, "deactivated") },
    {
      outcome: "password_change_required",
      prepare: async (world) => ({
        input: {
          ...grant,
          ...given.credentialsOf(await given.user(world.service, { mustChangePassword: true })),
        },
      }),
    },
    { outcome: "overloaded", setting: "overloaded", prepare: as({}) },
    { outcome: "unavailable", what: "at a login", setting: "storeless", prepare: as({}) },
  ];
}
