import { expect } from "@jest/globals";
import type { ServiceOutcomes } from "./outcome-case.ts";
import { administratorCases, signInAdmin } from "./administrator-cases.ts";
import { time, unreadable } from "./shared-cases.ts";

/** Every outcome of every RPC of AuditService. */
export const auditServiceOutcomes: ServiceOutcomes = {
  ListAuditEvents: [
    {
      outcome: "ok",
      async prepare(world) {
        const { headers, userId } = await signInAdmin(world);
        return { headers, input: { user_id: userId, types: ["login.succeeded"] } };
      },
      message: {
        audit_events: [
          expect.objectContaining({
            id: expect.stringMatching(/^\d+$/),
            occurred_at: time,
            type: "login.succeeded",
            actor_kind: "user",
            user_id: expect.stringMatching(/^usr_/),
            client_address: "127.0.0.1",
            count: 1,
          }),
        ],
        next_page_token: "",
      },
    },
    unreadable,
    {
      outcome: "validation_failed",
      what: "a page that is too long",
      prepare: async (world) => ({ headers: (await signInAdmin(world)).headers, input: { page_size: 1001 } }),
      fields: [{ field: "page_size", detail: expect.any(String) as unknown as string }],
    },
    ...administratorCases(),
  ],
};
