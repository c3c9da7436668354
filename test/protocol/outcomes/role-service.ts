import { randomBytes } from "node:crypto";
import { expect } from "@jest/globals";
import * as given from "../../_harness/given.ts";
import { administratorCases, byAdmin } from "./administrator-cases.ts";
import type { OutcomeCase, ServiceOutcomes } from "./outcome-case.ts";
import { required, time, unreadable, unreadableWith } from "./shared-cases.ts";

const newName = () => `role-${randomBytes(6).toString("hex")}`;
const etag = expect.stringMatching(/^[\w-]{22}$/);
const anyDetail = expect.any(String) as unknown as string;

const desk = {
  name: expect.stringMatching(/^role-/),
  description: "The desk.",
  permissions: ["users.read", "shop:refund"],
  scopes: ["orders"],
  built_in: false,
  created_at: time,
  etag,
};
const support = expect.objectContaining({ name: "support", built_in: true, etag });

const tooLong = (name: string): OutcomeCase => ({
  outcome: "validation_failed",
  prepare: byAdmin(() => ({ [name]: "x".repeat(65), ...(name === "etag" ? { name: "desk" } : {}) })),
  fields: [{ field: name, detail: anyDetail }],
});
const missing: OutcomeCase = { outcome: "not_found", prepare: byAdmin(() => ({ name: newName() })) };
const oldEtag: OutcomeCase = {
  outcome: "conflict",
  what: "an old etag",
  prepare: byAdmin(async (world) => ({
    name: await world.addRole(newName()),
    etag: "old",
    description: "x",
  })),
};

/** Every outcome of every RPC of RoleService. */
export const roleServiceOutcomes: ServiceOutcomes = {
  CreateRole: [
    {
      outcome: "ok",
      prepare: byAdmin(() => ({
        name: newName(),
        description: "The desk.",
        permissions: ["users.read", "shop:refund"],
        scopes: ["orders"],
      })),
      message: desk,
    },
    unreadable,
    {
      outcome: "validation_failed",
      what: "no name",
      prepare: byAdmin(() => ({ description: "x" })),
      fields: [required("name")],
    },
    {
      outcome: "validation_failed",
      what: "a permission that there is not",
      prepare: byAdmin(() => ({ name: newName(), permissions: ["users.fly"] })),
      fields: [{ field: "permissions", detail: anyDetail }],
    },
    { outcome: "already_exists", prepare: byAdmin(() => ({ name: "support" })) },
    {
      outcome: "already_exists",
      what: "a role of the operator's",
      prepare: byAdmin(async (world) => ({ name: await world.addRole(newName()) })),
    },
    {
      outcome: "conflict",
      what: "a request_id that was used for something else",
      prepare: async (world) => {
        const { headers } = await byAdmin(() => ({}))(world);
        const send = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
        const [name, id] = [newName(), newName()];
        const body = JSON.stringify({ name, request_id: id });
        await fetch(`${world.service.url}/admin/roles`, { ...send, body });
        return { headers: headers ?? {}, input: { name: newName(), request_id: id } };
      },
    },
    ...administratorCases({ name: "desk" }),
  ],
  GetRole: [
    { outcome: "ok", prepare: byAdmin(() => ({ name: "support" })), message: support },
    unreadableWith({ name: "desk" }),
    tooLong("name"),
    missing,
    ...administratorCases({ name: "desk" }),
  ],
  ListRoles: [
    {
      outcome: "ok",
      prepare: byAdmin(() => ({ page_size: 1 })),
      message: {
        roles: [expect.objectContaining({ name: "admin", built_in: true })],
        next_page_token: expect.stringMatching(/^[\w-]+$/),
      },
    },
    unreadable,
    {
      outcome: "validation_failed",
      prepare: byAdmin(() => ({ page_size: 1001 })),
      fields: [{ field: "page_size", detail: anyDetail }],
    },
    ...administratorCases(),
  ],
  UpdateRole: [
    {
      outcome: "ok",
      prepare: byAdmin(async (world) => ({
        name: await world.addRole(newName()),
        description: "The desk.",
        permissions: ["users.read", "shop:refund"],
        scopes: ["orders"],
      })),
      message: desk,
    },
    unreadableWith({ name: "desk" }),
    {
      outcome: "validation_failed",
      what: "a mask that names nothing",
      prepare: byAdmin(() => ({ name: "desk", update_mask: "colour" })),
      fields: [{ field: "update_mask", detail: anyDetail }],
    },
    {
      outcome: "permission_denied",
      what: "a built-in role",
      prepare: byAdmin(() => ({ name: "support", description: "x" })),
    },
    { ...missing, prepare: byAdmin(() => ({ name: newName(), description: "x" })) },
    oldEtag,
    ...administratorCases({ name: "desk", description: "x" }),
  ],
  DeleteRole: [
    {
      outcome: "ok",
      prepare: byAdmin(async (world) => ({ name: await world.addRole(newName()) })),
      message: {},
    },
    unreadableWith({ name: "desk" }),
    tooLong("etag"),
    missing,
    {
      outcome: "conflict",
      what: "a user has it",
      prepare: byAdmin(async (world) => {
        const name = await world.addRole(newName());
        await given.user(world.service, { roles: [name] });
        return { name };
      }),
    },
    ...administratorCases({ name: "desk" }),
  ],
};
