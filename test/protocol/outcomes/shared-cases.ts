import { expect } from "@jest/globals";
import * as given from "../../_harness/given.ts";
import { bearerOf } from "../../_harness/rest.ts";
import type { OutcomeCase, PreparedCall } from "./outcome-case.ts";
import type { World } from "./world.ts";

/** The message of a success that issues tokens to a user. */
export const tokenResponse = {
  access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  refresh_token: expect.stringMatching(/^csr_[\w-]{82}$/),
  token_type: "bearer",
  expires_in: 900,
};

/** A time as answers have it. */
export const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

/** A field that says nothing but that it is required. */
export function required(field: string) {
  return { field, detail: "is required" };
}

/** Of an RPC whose request cannot be read. @param input what its path needs */
export function unreadableWith(input: PreparedCall["input"] = {}): OutcomeCase {
  return {
    outcome: "malformed_request",
    what: "a message that cannot be read",
    ownWords: true,
    prepare: () => ({ unreadable: true, input }),
  };
}

/** Of an RPC whose request cannot be read, and whose path needs nothing. */
export const unreadable: OutcomeCase = unreadableWith();

/** Of an RPC that takes a client's authentication. */
export function doubleClient(input: Readonly<Record<string, string>>): OutcomeCase {
  return {
    outcome: "malformed_request",
    what: "a client named in two ways that contradict each other",
    prepare: () => ({
      input: { ...input, client_id: "other" },
      headers: { authorization: `Basic ${btoa("countersign:")}` },
    }),
  };
}

/** Of an RPC that is limited by address; the limit comes before anything is looked at. */
export function throttled(input: Readonly<Record<string, string>>): OutcomeCase {
  return { outcome: "rate_limited", setting: "throttled", prepare: () => ({ input }) };
}

/** Of an RPC that asks for an access token. @param input what it would be called with otherwise */
export function tokenCases(input: PreparedCall["input"] = {}): readonly OutcomeCase[] {
  return [
    { outcome: "missing_token", prepare: () => ({ input }) },
    { outcome: "invalid_token", what: "no JWT", prepare: () => ({ input, headers: bearerOf("opaque") }) },
    {
      outcome: "invalid_token",
      what: "a token of a session that was ended",
      prepare: async (world) => ({ input, headers: bearerOf(await endedToken(world)) }),
    },
    {
      outcome: "unavailable",
      setting: "storeless",
      prepare: async (world) => ({
        input,
        headers: bearerOf((await given.session(world.service)).access_token),
      }),
    },
  ];
}

async function endedToken(world: World): Promise<string> {
  const tokens = await given.session(world.service);
  const body = new URLSearchParams({ refresh_token: tokens.refresh_token });
  await fetch(`${world.service.url}/auth/logout`, { method: "POST", body });
  return tokens.access_token;
}
