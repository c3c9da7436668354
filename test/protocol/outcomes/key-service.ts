import { expect } from "@jest/globals";
import { administratorCases, byAdmin } from "./administrator-cases.ts";
import type { ServiceOutcomes } from "./outcome-case.ts";
import { time, unreadableWith } from "./shared-cases.ts";

const kid = expect.stringMatching(/^[\w-]{43}$/);
const etag = expect.stringMatching(/^[\w-]{22}$/);
const anyDetail = expect.any(String) as unknown as string;
const secretKeyId = expect.stringMatching(/^[0-9a-f]{8}$/);
const aKey = { kid, alg: "ES256", created_at: time, signs_from: time, sealed_by: secretKeyId, etag };
const noKey = "k".repeat(43);

/** Every outcome of every RPC of KeyService. */
export const keyServiceOutcomes: ServiceOutcomes = {
  ListKeys: [
    {
      outcome: "ok",
      prepare: byAdmin(() => ({})),
      message: {
        keys: expect.arrayContaining([expect.objectContaining({ ...aKey, state: "signs" })]),
        secret_key_id: secretKeyId,
      },
    },
    ...administratorCases(),
  ],
  RotateKey: [
    {
      outcome: "ok",
      what: "the key that waits for its time already",
      async prepare(world) {
        await world.publishKey();
        return byAdmin(() => ({}))(world);
      },
      message: { key: expect.objectContaining({ ...aKey, state: "published" }), made: false },
    },
    ...administratorCases(),
  ],
  DropKey: [
    { outcome: "ok", prepare: byAdmin(async (world) => ({ kid: await world.publishKey() })), message: {} },
    unreadableWith({ kid: noKey }),
    {
      outcome: "validation_failed",
      prepare: byAdmin(() => ({ kid: noKey, etag: "x".repeat(65) })),
      fields: [{ field: "etag", detail: anyDetail }],
    },
    { outcome: "not_found", prepare: byAdmin(() => ({ kid: noKey })) },
    {
      outcome: "conflict",
      what: "an old etag",
      prepare: byAdmin(async (world) => ({ kid: await world.publishKey(), etag: "old" })),
    },
    ...administratorCases({ kid: noKey }),
  ],
  ResealKeys: [
    {
      outcome: "ok",
      prepare: byAdmin(() => ({})),
      message: { resealed_kids: [], unopenable_kids: [] },
    },
    ...administratorCases(),
  ],
};
