import { createCaller } from "./callers.ts";
import type { Outcome } from "./outcome.ts";

/** A call of one RPC. */
export interface DoorCall {
  readonly rpc: string;
  /** The request's fields under their proto names. */
  readonly input?: Readonly<Record<string, string>>;
  /** An access token. */
  readonly bearer?: string;
}

/** How it ended, whatever it went by. */
export interface DoorAnswer {
  /** Null for a success. */
  readonly reason: string | null;
  /** The fields that a failure names. */
  readonly fields: readonly string[];
  /** The HTTP status; null over gRPC. */
  readonly status: number | null;
  /** The message, without unset members. Empty for a failure. */
  readonly message: Readonly<Record<string, unknown>>;
}

/** Whether an answer has this status, or came by a protocol that has none. */
export function hasStatus(answer: DoorAnswer, status: number): boolean {
  return answer.status === null || answer.status === status;
}

/** A way in, for tests that ask for a reason and little more. */
export interface Door {
  call(call: DoorCall): Promise<DoorAnswer>;
  close(): void;
}

/** The names of the ways in: those of RPC tests, which need not go by all of them. */
export const doorNames = ["REST with a form", "REST with JSON", "gRPC"] as const;
/** One of them. */
export type DoorName = (typeof doorNames)[number];

/** Opens the ways in of a service, each with a real client. */
export function openDoors(url: string): Readonly<Record<DoorName, Door>> {
  return {
    "REST with a form": openDoor(url, "REST form over HTTP/1.1"),
    "REST with JSON": openDoor(url, "REST JSON over HTTP/1.1"),
    gRPC: openDoor(url, "gRPC"),
  };
}

function openDoor(url: string, callerName: string): Door {
  const caller = createCaller(url, callerName);
  return {
    async call({ rpc, input = {}, bearer }) {
      const headers: Record<string, string> =
        bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      return presentOutcome(await caller.call({ rpc, input, headers }));
    },
    close: () => caller.close(),
  };
}

function presentOutcome({ message, failure, status }: Outcome): DoorAnswer {
  return {
    reason: failure?.reason ?? null,
    fields: failure?.fields.map(({ field }) => field) ?? [],
    status,
    message: message ?? {},
  };
}
