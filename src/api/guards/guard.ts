import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Call } from "../call.ts";
import type { MethodRules } from "../method-rules.ts";

/** What one guard does with the calls of one RPC. What it has nothing to do with is left out. */
export interface Guard {
  /**
   * Before the handler.
   *
   * @param message null where the request is a stream of messages
   * @returns a promise only where it waits
   * @throws AppError to refuse the call
   */
  readonly before?: (call: Call, message: Message | null) => Promise<void> | undefined;
  /**
   * Before the handler sees a message: the only one, or each of a stream.
   *
   * @returns a promise only where it waits
   * @throws AppError to refuse the call
   */
  readonly message?: (message: Message) => Promise<void> | undefined;
  /**
   * Asked again and again while a stream is open.
   *
   * @throws AppError to end it
   */
  readonly during?: (call: Call) => Promise<void>;
  /** The handler of a unary RPC has answered. */
  readonly success?: (call: Call, answer: Message) => void;
  /** The call has failed: here, at another guard or in its handler. */
  readonly failure?: (call: Call, error: unknown) => void;
}

/**
 * Makes the guard of one RPC: all that its options decide is decided here, at the start.
 *
 * @returns null where the guard has nothing to do with the RPC
 * @throws Error if an option of the contract names what does not exist
 */
export type MakeGuard = (method: DescMethod, rules: MethodRules) => Guard | null;
