import { AppError } from "../../errors/app-error.ts";
import type { Call } from "../call.ts";
import { requireAdministrator } from "./require-administrator.ts";

/** How many streams one who administers may have open, of all RPCs that are bounded together, in one process. */
const streamsMax = 8;
const retryAfterMs = 1_000;

/** Bounds handlers that stream. @throws AppError rate_limited, when the first answer is asked for */
export type BoundStreams = <Request, Answer>(
  handler: (request: Request, call: Call) => AsyncIterable<Answer>,
) => (request: Request, call: Call) => AsyncIterable<Answer>;

/** Bounds how many streams one caller has open, of all handlers that it is used for. */
export function createBoundStreams(): BoundStreams {
  const open = new Map<string, number>();
  return (handler) =>
    async function* bounded(request, call) {
      const { kind, id } = requireAdministrator(call).standing;
      const holder = `${kind} ${id}`;
      const count = open.get(holder) ?? 0;
      if (count >= streamsMax) {
        throw new AppError("rate_limited", "The caller has too many streams open.", { retryAfterMs });
      }
      open.set(holder, count + 1);
      try {
        yield* handler(request, call);
      } finally {
        const left = (open.get(holder) ?? 1) - 1;
        if (left === 0) open.delete(holder);
        else open.set(holder, left);
      }
    };
}
