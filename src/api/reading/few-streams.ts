import { AppError } from "../../errors/app-error.ts";
import type { Call } from "../call.ts";
import { requireAdministrator } from "./require-administrator.ts";

/** How many streams one who administers may have open, of all RPCs together, in one process. */
const streamsMax = 8;
const retryAfterMs = 1_000;

/** Bounds how many streams each of those who administer has open. */
export interface FewStreams {
  /** Takes a place, until what is returned is called. @throws AppError rate_limited */
  take(call: Call): () => void;
  /** Bounds a handler that answers with a stream. */
  bound<Request, Answer>(
    handler: (request: Request, call: Call) => AsyncIterable<Answer>,
  ): (request: Request, call: Call) => AsyncIterable<Answer>;
}

/** Builds the bound, for all handlers of a process. */
export function createFewStreams(): FewStreams {
  const open = new Map<string, number>();
  const take = (call: Call): (() => void) => {
    const { kind, id } = requireAdministrator(call).standing;
    const holder = `${kind} ${id}`;
    const count = open.get(holder) ?? 0;
    if (count >= streamsMax) {
      throw new AppError("rate_limited", "The caller has too many streams open.", { retryAfterMs });
    }
    open.set(holder, count + 1);
    return () => {
      const left = (open.get(holder) ?? 1) - 1;
      if (left === 0) open.delete(holder);
      else open.set(holder, left);
    };
  };
  return {
    take,
    bound: (handler) =>
      async function* bounded(request, call) {
        const giveBack = take(call);
        try {
          yield* handler(request, call);
        } finally {
          giveBack();
        }
      },
  };
}
