import { describe, expect, test } from "@jest/globals";
import { Registry } from "prom-client";
import { createTelemetry } from "../../src/app/telemetry.ts";
import type { Events } from "../../src/domain/events.ts";
import { createLogger } from "../../src/ops/logger.ts";

interface Watched {
  readonly events: Events;
  /** The messages of the log. */
  readonly messages: string[];
  count(series: string): Promise<string | undefined>;
}

function watch(write?: () => never): Watched {
  const registry = new Registry();
  const messages: string[] = [];
  const log = createLogger("info", false, {
    write: write ?? ((line) => messages.push((JSON.parse(line) as { msg: string }).msg)),
  });
  const { events } = createTelemetry(log, registry, true);
  return {
    events,
    messages,
    async count(series) {
      const lines = (await registry.metrics()).split("\n");
      return lines.find((line) => line.startsWith(`${series} `))?.slice(series.length + 1);
    },
  };
}

const session = { id: "ses_1", userId: "usr_1" } as const;

describe("what happens in the domain", () => {
  test("is counted, and logged if it is out of the ordinary", async () => {
    const { events, messages, count } = watch();
    events.emit("limit.refused", "login-client");
    events.emit("session.refreshed", { decision: "rotate", store: "redis" });
    expect(messages).toEqual([]);
    events.emit("session.reused", session);
    expect(messages).toEqual(["a refresh token was used again after its grace; its session has ended"]);
    const refused = 'countersign_throttle_decisions_total{policy="login_client",outcome="refused"}';
    expect(await count(refused)).toBe("1");
    expect(await count('countersign_refreshes_total{decision="rotate",store="redis"}')).toBe("1");
    expect(await count("countersign_refresh_reuses_total")).toBe("1");
  });

  test("is logged once while rotations cannot be saved, and again after all have been", () => {
    const { events, messages } = watch();
    for (let number = 0; number < 3; number += 1) events.emit("rotations.save_failed", new Error("away"));
    expect(messages).toHaveLength(1);
    events.emit("rotations.waiting", { sessions: 0, lagSeconds: 0 });
    events.emit("rotations.save_failed", new Error("away"));
    expect(messages).toHaveLength(2);
  });

  test("fails nothing when it cannot be logged", () => {
    const { events } = watch(() => {
      throw new Error("the disk is full");
    });
    expect(() => events.emit("session.caught_up", session)).not.toThrow();
    expect(() => events.emit("limits.store_lost", new Error("away"))).not.toThrow();
  });
});
