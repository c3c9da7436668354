import { expect } from "@jest/globals";
import { postOf } from "../../_harness/clients.ts";
import * as given from "../../_harness/given.ts";
import type { OutcomeCase, PreparedCall, ServiceOutcomes } from "./outcome-case.ts";
import { passwordCases } from "./password-cases.ts";
import { refreshCases } from "./refresh-cases.ts";
import { doubleClient, required, throttled, unreadable } from "./shared-cases.ts";
import type { World } from "./world.ts";

type Parameters = Readonly<Record<string, string>>;

const asClient =
  (parameters: Parameters) =>
  async (world: World): Promise<PreparedCall> => {
    const client = await world.addClient({ grants: ["client_credentials"], canIntrospect: true });
    return { input: { ...parameters, ...postOf(client) } };
  };

/** What an RPC about a token can fail of whatever the token. */
const aboutToken: readonly OutcomeCase[] = [
  throttled({ token: "x" }),
  unreadable,
  doubleClient({ token: "x" }),
  {
    outcome: "validation_failed",
    prepare: () => ({ input: { token_type_hint: "access_token" } }),
    fields: [required("token")],
  },
  {
    outcome: "invalid_client",
    prepare: async (world) => {
      const { id } = await world.addClient({ canIntrospect: true });
      return { input: { token: "x", client_id: id, client_secret: "wrong" } };
    },
  },
  { outcome: "unavailable", setting: "storeless", prepare: asClient({ token: "x" }) },
];

/** Every outcome of every RPC of TokenService. */
export const tokenServiceOutcomes: ServiceOutcomes = {
  IssueToken: [
    throttled({ grant_type: "client_credentials" }),
    ...passwordCases({ grant_type: "password" }),
    ...refreshCases({ grant_type: "refresh_token" }),
    {
      outcome: "ok",
      what: "a client for itself",
      prepare: asClient({ grant_type: "client_credentials" }),
      message: {
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        token_type: "bearer",
        expires_in: 900,
      },
    },
    unreadable,
    doubleClient({ grant_type: "client_credentials" }),
    {
      outcome: "unsupported_grant_type",
      prepare: () => ({ input: { grant_type: "implicit" } }),
    },
    {
      outcome: "validation_failed",
      what: "no grant type",
      prepare: () => ({ input: { scope: "mail" } }),
      fields: [required("grant_type")],
    },
  ],
  Introspect: [
    {
      outcome: "ok",
      what: "a token that is active",
      async prepare(world) {
        const client = await world.addClient({
          firstParty: true,
          grants: ["password", "refresh_token"],
          canIntrospect: true,
        });
        const { access_token } = await given.session(world.service, { fields: postOf(client) });
        return { input: { token: access_token, ...postOf(client) } };
      },
      message: {
        active: true,
        client_id: expect.stringMatching(/^client-/),
        username: expect.stringMatching(/^user/),
        token_type: "bearer",
        exp: expect.any(Number),
        iat: expect.any(Number),
        sub: expect.stringMatching(/^usr_/),
        aud: [expect.stringMatching(/^http:/)],
        iss: expect.stringMatching(/^http:/),
        jti: expect.any(String),
        sid: expect.any(String),
      },
    },
    {
      outcome: "ok",
      what: "a token that is not",
      prepare: asClient({ token: "opaque" }),
      message: { active: false },
    },
    {
      outcome: "unauthorized_client",
      async prepare(world) {
        const client = await world.addClient({ grants: ["client_credentials"] });
        return { input: { token: "x", ...postOf(client) } };
      },
    },
    {
      outcome: "invalid_client",
      what: "no client that has authenticated",
      prepare: () => ({ input: { token: "x" } }),
    },
    ...aboutToken,
  ],
  Revoke: [
    {
      outcome: "ok",
      what: "a refresh token",
      prepare: async (world) => ({ input: { token: (await given.session(world.service)).refresh_token } }),
      message: {},
    },
    {
      outcome: "foreign_token",
      async prepare(world) {
        const client = await world.addClient({ grants: ["client_credentials"] });
        return { input: { token: (await given.session(world.service)).access_token, ...postOf(client) } };
      },
    },
    { outcome: "ok", what: "a token that is not known", prepare: asClient({ token: "opaque" }), message: {} },
    ...aboutToken,
  ],
  GetServerMetadata: [
    {
      outcome: "ok",
      prepare: () => ({}),
      message: expect.objectContaining({
        issuer: expect.stringMatching(/^http:/),
        grant_types_supported: ["password", "refresh_token", "client_credentials"],
        response_types_supported: [],
      }),
    },
  ],
  GetJwks: [
    {
      outcome: "ok",
      prepare: () => ({}),
      message: {
        // The cases of KeyService publish more.
        keys: expect.arrayContaining([
          {
            kty: "EC",
            use: "sig",
            alg: "ES256",
            kid: expect.stringMatching(/^[\w-]{43}$/),
            crv: "P-256",
            x: expect.stringMatching(/^[\w-]{43}$/),
            y: expect.stringMatching(/^[\w-]{43}$/),
          },
        ]),
      },
    },
  ],
};
