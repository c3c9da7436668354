import { AppError } from "../../errors/app-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import type { Wire } from "./wire.ts";

/** What one side asks of the other: each call with what is asked and what is answered, which can be cloned. */
export type Calls = Record<string, { readonly asked: unknown; readonly answer: unknown }>;

/** What answers the calls of the other side. The signal is aborted when the caller does not wait any longer. */
export type Answers<Asked extends Calls> = {
  readonly [Name in keyof Asked]: (
    asked: Asked[Name]["asked"],
    signal: AbortSignal,
  ) => Asked[Name]["answer"] | Promise<Asked[Name]["answer"]>;
};

/** Asks the other side. */
export interface Channel<Asked extends Calls> {
  /**
   * @param signal ends the wait, with its reason, and the work on the other side
   * @throws AppError as the other side threw it; Error for anything else
   */
  call<Name extends keyof Asked & string>(
    name: Name,
    asked: Asked[Name]["asked"],
    signal?: AbortSignal,
  ): Promise<Asked[Name]["answer"]>;
  /** The other side has gone: fails what has no answer yet, and ends the work for it. */
  close(): void;
}

/** What crosses of an error. */
interface Failure {
  /** Null for a bug. */
  readonly reason: Reason | null;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

type Message =
  | { readonly kind: "call"; readonly id: number; readonly name: string; readonly asked: unknown }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure };

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** Opens a channel in both directions. @param answers to what the other side asks */
export function openChannel<Asked extends Calls, Asking extends Calls>(
  wire: Wire,
  answers: Answers<Asking>,
): Channel<Asked> {
  const waiting = new Map<number, Waiting>();
  const answering = new Map<number, AbortController>();
  let lastId = 0;

  const answer = async (id: number, name: string, asked: unknown): Promise<void> => {
    const controller = new AbortController();
    answering.set(id, controller);
    try {
      const run = answers[name];
      if (run === undefined) throw new Error(`there is no answer to ${name}`);
      wire.send({ kind: "answer", id, answer: await run(asked, controller.signal) } satisfies Message);
    } catch (error) {
      wire.send({ kind: "failure", id, failure: toFailure(error) } satisfies Message);
    } finally {
      answering.delete(id);
    }
  };

  const settle = (id: number, how: (one: Waiting) => void): void => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (one !== undefined) how(one);
  };

  wire.receive((received) => {
    const message = received as Message;
    switch (message.kind) {
      case "call":
        void answer(message.id, message.name, message.asked);
        break;
      case "cancel":
        answering.get(message.id)?.abort();
        break;
      case "answer":
        settle(message.id, (one) => one.resolve(message.answer));
        break;
      case "failure":
        settle(message.id, (one) => one.reject(fromFailure(message.failure)));
        break;
      default:
        // A connection, or a word about one.
        break;
    }
  });

  return {
    async call(name, asked, signal) {
      signal?.throwIfAborted();
      const id = (lastId += 1);
      const onAbort = (): void => {
        wire.send({ kind: "cancel", id } satisfies Message);
        settle(id, (one) => one.reject(signal?.reason));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        return await new Promise((resolve, reject) => {
          waiting.set(id, { resolve, reject });
          wire.send({ kind: "call", id, name, asked } satisfies Message);
        });
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
    },
    close() {
      for (const one of waiting.values()) one.reject(new Error("the other process has ended"));
      waiting.clear();
      for (const controller of answering.values()) controller.abort();
    },
  };
}

function toFailure(error: unknown): Failure {
  if (error instanceof AppError) {
    const { reason, message, retryAfterMs } = error;
    return { reason, message, retryAfterMs };
  }
  return { reason: null, message: Error.isError(error) ? error.message : String(error) };
}

function fromFailure({ reason, message, retryAfterMs }: Failure): Error {
  if (reason === null) return new Error(message);
  return new AppError(reason, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
