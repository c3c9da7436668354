import type { Message } from "@bufbuild/protobuf";
import { type StreamFormat, streamTypes } from "./accept.ts";
import type { ReadRaw } from "./answer.ts";
import { unknownType } from "./http-body.ts";
import type { ProblemDetail } from "./problem.ts";
import type { MessageWriter } from "./write-json.ts";

/** Writes the body of one answer that is a stream, piece by piece. */
export interface StreamWriter {
  /** The media type; null as long as it is not known, which the first message changes. */
  contentType(): string | null;
  /** @throws Error when the message cannot be written: a mistake in the service */
  message(message: Message): Uint8Array;
  /**
   * The failure that ends the stream. Null if the body cannot hold one: then it must be cut off, so that
   * nobody takes it as complete.
   */
  problem(problem: ProblemDetail): Uint8Array | null;
  /** What comes last, after a failure too; empty for nothing. */
  end(): Uint8Array;
}

const empty = new Uint8Array(0);
const encoder = new TextEncoder();

/** @param present gives JSON without a line break */
export function createJsonStreamWriter(format: StreamFormat, present: MessageWriter): StreamWriter {
  const framing = framings[format]();
  return {
    contentType: () => streamTypes[format],
    message: (message) => encoder.encode(framing.message(present(message))),
    problem: (problem) => encoder.encode(framing.problem(JSON.stringify(problem))),
    end: () => encoder.encode(framing.end()),
  };
}

/** The media type is the first message's; the bytes of all follow each other. */
export function createRawStreamWriter(read: ReadRaw): StreamWriter {
  let type: string | null = null;
  return {
    contentType: () => type,
    message(message) {
      const { contentType, body } = read(message);
      type ??= contentType;
      return body;
    },
    problem: () => null,
    end() {
      type ??= unknownType;
      return empty;
    },
  };
}

interface Framing {
  message(json: string): string;
  problem(json: string): string;
  end(): string;
}

const framings: Readonly<Record<StreamFormat, () => Framing>> = {
  ndjson: () => ({
    message: (json) => `${json}\n`,
    problem: (json) => `{"error":${json}}\n`,
    end: () => "",
  }),
  sse: () => ({
    message: (json) => `data: ${json}\n\n`,
    // Not `error`, which is what EventSource calls a lost connection.
    problem: (json) => `event: problem\ndata: ${json}\n\n`,
    end: () => "",
  }),
  array: () => {
    let isFirst = true;
    const item = (json: string): string => {
      const before = isFirst ? "[" : ",";
      isFirst = false;
      return before + json;
    };
    return {
      message: item,
      problem: (json) => item(`{"error":${json}}`),
      end: () => (isFirst ? "[]" : "]"),
    };
  },
};
