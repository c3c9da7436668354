import { postOf } from "../../_harness/clients.ts";
import * as given from "../../_harness/given.ts";
import type { OutcomeCase } from "./outcome-case.ts";
import { required, tokenResponse } from "./shared-cases.ts";
import type { World } from "./world.ts";

type Parameters = Readonly<Record<string, string | string[]>>;

/** The outcomes of a refresh, by the RPC for it or at the token endpoint. */
export function refreshCases(grant: Parameters): readonly OutcomeCase[] {
  const own =
    (change: Parameters = {}) =>
    async (world: World) => {
      const { refresh_token } = await given.session(world.service);
      return { input: { ...grant, refresh_token, ...change } };
    };
  return [
    { outcome: "ok", what: "a refresh token", prepare: own(), message: tokenResponse },
    { outcome: "invalid_scope", what: "at a refresh", prepare: own({ scope: "mail" }) },
    { outcome: "invalid_target", what: "at a refresh", prepare: own({ resource: ["nobody"] }) },
    {
      outcome: "validation_failed",
      what: "no refresh token",
      prepare: () => ({ input: { ...grant, scope: "mail" } }),
      fields: [required("refresh_token")],
    },
    {
      outcome: "invalid_refresh_token",
      what: "a forged one",
      prepare: () => ({ input: { ...grant, refresh_token: `csr_${"A".repeat(82)}` } }),
    },
    {
      outcome: "invalid_refresh_token",
      what: "one of a session that was ended",
      async prepare(world) {
        const { refresh_token } = await given.session(world.service);
        const body = new URLSearchParams({ refresh_token });
        await fetch(`${world.service.url}/auth/logout`, { method: "POST", body });
        return { input: { ...grant, refresh_token } };
      },
    },
    {
      outcome: "invalid_client",
      what: "a client that does not authenticate",
      async prepare(world) {
        const client = await world.addClient({ firstParty: true, grants: ["password", "refresh_token"] });
        const { refresh_token } = await given.session(world.service, { fields: postOf(client) });
        return { input: { ...grant, refresh_token, client_id: client.id, client_secret: "wrong" } };
      },
    },
    {
      outcome: "unauthorized_client",
      what: "a client that may not refresh any more",
      async prepare(world) {
        const grants = ["password", "refresh_token"] as const;
        const client = await world.addClient({ public: true, firstParty: true, grants });
        const { refresh_token } = await given.session(world.service, { fields: postOf(client) });
        await world.setGrants(client, ["password"]);
        return { input: { ...grant, refresh_token, ...postOf(client) } };
      },
    },
    { outcome: "unavailable", what: "at a refresh", setting: "storeless", prepare: own() },
  ];
}
