import { clone, create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import type { DescService, Message, MessageInitShape } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  ServiceDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { http } from "../../src/gen/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../src/gen/google/api/http_pb.ts";
import type { HttpRule } from "../../src/gen/google/api/http_pb.ts";
import { RestError } from "../../src/transcoding/rest-error.ts";
import { createTranscoder } from "../../src/transcoding/transcoder.ts";
import type { RestMatch, Transcoder } from "../../src/transcoding/transcoder.ts";
import { file_demo, LibraryService } from "./gen/demo_pb.ts";

/** The demo library: SignInRequest is lenient; an author's age and a book's date are nullable. */
export const library: Transcoder = createTranscoder({
  services: [LibraryService],
  isLenient: (message) => message.name === "SignInRequest",
  isNullable: (field) => field.name === "age" || field.name === "bought_at",
});

export const jsonType = "application/json";
export const formType = "application/x-www-form-urlencoded";

export interface Call {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly body?: string | Uint8Array;
}

/** Matches; anything but a binding fails the test. */
export function find(transcoder: Transcoder, method: string, path: string): RestMatch {
  const match = transcoder.match(method, path);
  if (match.kind !== "found") {
    throw new Error(`${method} ${path} is ${match.kind}`);
  }
  return match;
}

/** Matches and binds a request to the library. */
export function bind(method: string, target: string, call: Call = {}): Message {
  return bindTo(library, method, target, call);
}

/** Matches and binds a request to any transcoder. */
export function bindTo(transcoder: Transcoder, method: string, target: string, call: Call = {}): Message {
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  return transcoder.bind(find(transcoder, method, path), {
    query: mark === -1 ? "" : target.slice(mark + 1),
    contentType: call.contentType,
    contentEncoding: call.contentEncoding,
    body:
      typeof call.body === "string" ? new TextEncoder().encode(call.body) : (call.body ?? new Uint8Array()),
  });
}

/** The status and sentence of the RestError that a call ends with, in one text. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof RestError) {
      return `${error.status} ${error.message}`;
    }
    throw error;
  }
  return "nothing was refused";
}

type HttpRuleInit = Exclude<MessageInitShape<typeof HttpRuleSchema>, HttpRule>;

export interface RuleInit {
  readonly rpc: string;
  readonly rule: HttpRuleInit;
  readonly input?: string;
  readonly output?: string;
  readonly serverStreaming?: boolean;
  readonly clientStreaming?: boolean;
}

/** A service over the demo's messages, with the bindings of a test's own. */
export function serviceWith(...rules: readonly RuleInit[]): DescService {
  const file = clone(FileDescriptorProtoSchema, file_demo.proto);
  const methods = rules.map(({ rpc, rule, input = "Book", output = "Book", ...streaming }) => {
    const options = create(MethodOptionsSchema);
    setExtension(options, http, create(HttpRuleSchema, rule));
    return create(MethodDescriptorProtoSchema, {
      name: rpc,
      inputType: fullName(input),
      outputType: fullName(output),
      options,
      serverStreaming: streaming.serverStreaming ?? false,
      clientStreaming: streaming.clientStreaming ?? false,
    });
  });
  file.service = [create(ServiceDescriptorProtoSchema, { name: "Test", method: methods })];
  const registry = createFileRegistry(file, (name) =>
    file_demo.dependencies.find((dependency) => `${dependency.name}.proto` === name),
  );
  const service = registry.getService("demo.v1.Test");
  if (service === undefined) {
    throw new Error("the service was not built");
  }
  return service;
}

/** A message of the demo, or one with its package. */
function fullName(name: string): string {
  return name.includes(".") ? `.${name}` : `.demo.v1.${name}`;
}

/** A GET binding. */
export function get(path: string): HttpRuleInit {
  return { pattern: { case: "get", value: path } };
}

/** A POST binding. */
export function post(path: string, body = ""): HttpRuleInit {
  return { pattern: { case: "post", value: path }, body };
}
