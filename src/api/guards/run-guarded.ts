import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type { Call } from "../call.ts";
import { runCall } from "../../lib/work.ts";
import type { Guard } from "./guard.ts";
import { whileLet } from "./while-let.ts";

/** Answers a unary call. */
export type RunUnary = (call: Call, message: Message) => Promise<Message>;

/** Answers one message with a stream. Nothing runs before the first answer is asked for. */
export type RunServerStream = (call: Call, message: Message) => AsyncIterable<Message>;

/** Answers a stream with one message. */
export type RunClientStream = (call: Call, messages: AsyncIterable<Message>) => Promise<Message>;

/** Answers a stream with a stream. Nothing runs before the first answer is asked for. */
export type RunBidiStream = (call: Call, messages: AsyncIterable<Message>) => AsyncIterable<Message>;

type Init = MessageInitShape<DescMessage>;

/** Puts the guards of one RPC, in their order, before its handler. */
export function guardUnary(
  guards: readonly Guard[],
  output: DescMessage,
  handler: (message: Message, call: Call) => Init | Promise<Init>,
): RunUnary {
  const { befores, failures } = partsOf(guards);
  const successes = guards.flatMap(({ success }) => success ?? []);
  return async (call, message) => {
    try {
      for (const before of befores) {
        const waited = before(call, message);
        if (waited !== undefined) await waited;
      }
      const answered = handler(message, call);
      const answer = create(output, answered instanceof Promise ? await answered : answered);
      for (const success of successes) success(call, answer);
      return answer;
    } catch (error) {
      for (const failure of failures) failure(call, error);
      throw error;
    }
  };
}

/** As guardUnary, for an RPC that answers one message with a stream. */
export function guardServerStream(
  guards: readonly Guard[],
  output: DescMessage,
  handler: (message: Message, call: Call) => AsyncIterable<Init>,
): RunServerStream {
  return guardStream(guards, output, handler, (message) => message);
}

/** As guardUnary, for an RPC that answers a stream with one message. Each message passes the guards that look at messages. */
export function guardClientStream(
  guards: readonly Guard[],
  output: DescMessage,
  handler: (messages: AsyncIterable<Message>, call: Call) => Promise<Init>,
): RunClientStream {
  const run = guardBidiStream(guards, output, async function* (messages, call) {
    yield await handler(messages, call);
  });
  return async (call, messages) => {
    for await (const answer of run(call, messages)) return answer;
    throw new Error("a handler has answered nothing");
  };
}

/** As guardUnary, for an RPC that streams both ways: each message passes the guards that look at messages. */
export function guardBidiStream(
  guards: readonly Guard[],
  output: DescMessage,
  handler: (messages: AsyncIterable<Message>, call: Call) => AsyncIterable<Init>,
): RunBidiStream {
  const checks = guards.flatMap(({ message }) => message ?? []);
  const checked = async function* (messages: AsyncIterable<Message>): AsyncGenerator<Message> {
    for await (const message of messages) {
      for (const check of checks) await check(message);
      yield message;
    }
  };
  return guardStream(
    guards,
    output,
    (messages, call) => handler(checked(messages), call),
    () => null,
  );
}

function guardStream<Input>(
  guards: readonly Guard[],
  output: DescMessage,
  handler: (input: Input, call: Call) => AsyncIterable<Init>,
  messageOf: (input: Input) => Message | null,
): (call: Call, input: Input) => AsyncIterable<Message> {
  const { befores, failures } = partsOf(guards);
  const durings = guards.flatMap(({ during }) => during ?? []);
  return async function* (call, input) {
    try {
      for (const before of befores) await runCall(async () => before(call, messageOf(input)));
      for await (const answer of whileLet(durings, call, handler(input, call))) {
        yield create(output, answer);
      }
    } catch (error) {
      for (const failure of failures) failure(call, error);
      throw error;
    }
  };
}

function partsOf(guards: readonly Guard[]) {
  return {
    befores: guards.flatMap(({ before, message: check }) => [
      ...(before === undefined ? [] : [before]),
      ...(check === undefined ? [] : [onMessage(check)]),
    ]),
    failures: guards.flatMap(({ failure }) => failure ?? []),
  };
}

function onMessage(check: NonNullable<Guard["message"]>): NonNullable<Guard["before"]> {
  return (_call, message) => (message === null ? undefined : check(message));
}
