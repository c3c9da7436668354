import { expect } from "@jest/globals";
import type { OutcomeCase, ServiceOutcomes } from "./outcome-case.ts";
import { administratorCases, byAdmin, signInAdmin } from "./administrator-cases.ts";
import { time, unreadable } from "./shared-cases.ts";

const cursor = expect.stringMatching(/^[\w-]{20,256}$/);
const anyDetail = expect.any(String) as unknown as string;
const csvTitles =
  "id,occurred_at,type,actor_kind,actor_id,user_id,name_hmac,session_id,client_id,key_id,reason,count,request_id,client_address,user_agent";

/** What both streams refuse. One caller has few streams at a time. */
const streamCases: readonly OutcomeCase[] = [
  unreadable,
  {
    outcome: "validation_failed",
    what: "a type that there is not",
    oneByOne: true,
    prepare: byAdmin(() => ({ types: ["user.flown"] })),
    fields: [{ field: "types", detail: anyDetail }],
  },
  {
    outcome: "rate_limited",
    what: "a caller with eight streams",
    prepare: async (world) => ({ headers: await world.openStreams() }),
  },
  ...administratorCases(),
];

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
  FollowAuditEvents: [
    {
      outcome: "ok",
      oneByOne: true,
      prepare: byAdmin(() => ({ since: "2000-01-01T00:00:00Z", until_now: true })),
      message: { messages: expect.arrayContaining([expect.objectContaining({ cursor })]) },
    },
    {
      outcome: "validation_failed",
      what: "a cursor of somewhere else",
      oneByOne: true,
      prepare: byAdmin(() => ({ cursor: "WyJ4IiwiMSIsIjIiXQ" })),
      fields: [{ field: "cursor", detail: anyDetail }],
    },
    ...streamCases,
  ],
  ExportAuditEvents: [
    {
      outcome: "ok",
      oneByOne: true,
      prepare: byAdmin(() => ({ until: "2000-01-01T00:00:00Z", format: "csv" })),
      message: { content_type: "text/csv; charset=utf-8; header=present", text: `${csvTitles}\r\n` },
    },
    {
      outcome: "ok",
      what: "as lines of JSON",
      oneByOne: true,
      async prepare(world) {
        const { headers, userId } = await signInAdmin(world);
        return { headers, input: { user_id: userId, types: ["login.succeeded"] } };
      },
      message: {
        messages: [expect.objectContaining({ type: "login.succeeded", actor_kind: "user", count: 1 })],
      },
    },
    {
      outcome: "validation_failed",
      what: "a form that there is not",
      oneByOne: true,
      prepare: byAdmin(() => ({ format: "xlsx" })),
      fields: [{ field: "format", detail: anyDetail }],
    },
    ...streamCases,
  ],
};
