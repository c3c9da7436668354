import type { DescField, DescMessage, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import { bindRequest } from "./bind.ts";
import type { RestRequest } from "./bind.ts";
import { compileBindings } from "./binding.ts";
import type { Binding } from "./binding.ts";
import { matchPath } from "./match-path.ts";
import type { FoundRoute, RouteMatch } from "./match-path.ts";
import { createTables } from "./message-table.ts";
import { createPresenters } from "./present.ts";
import { compileRoutes } from "./route-trie.ts";

/** What a service says of its own RPCs, messages and fields beyond google.api.http. */
export interface TranscoderOptions {
  /** The services whose RPCs are bound; an RPC without google.api.http has no REST route. */
  readonly services: readonly DescService[];
  /** A path before every template, such as `/api`; empty by default. */
  readonly basePath?: string;
  /**
   * Whether a request message follows RFC 6749 section 3.2: unknown members and parameters are
   * ignored, and those with an empty value count as absent. No message does by default.
   */
  readonly isLenient?: (message: DescMessage) => boolean;
  /** Whether an unset field is written as null. By default it is left out. */
  readonly isNullable?: (field: DescField) => boolean;
  /** The status of a success, from 200 to 299; undefined: 200, or 204 for a message without fields. */
  readonly successStatus?: (method: DescMethodUnary) => number | undefined;
  /** Whether a body that the binding asks for may be empty. By default it may not. */
  readonly isBodyOptional?: (method: DescMethodUnary) => boolean;
}

/** A matched request: its binding and the texts of its path variables. */
export type RestMatch = FoundRoute<Binding>;

/** The answer to a success; its body is `application/json`, or null when there is none (204). */
export interface RestAnswer {
  readonly status: number;
  readonly body: Uint8Array | null;
}

/** Turns REST requests into messages and messages into REST answers; it holds no state of a request. */
export interface Transcoder {
  /** Every binding, in the order of the services. */
  readonly bindings: readonly Binding[];
  /**
   * Finds the binding for a method and a path (as sent, without the query string). HEAD is found where
   * GET is bound: the caller drops the body of the answer.
   *
   * @throws RestError 400 when the path is not well-formed
   */
  match(httpMethod: string, path: string): RouteMatch<Binding>;
  /** Whether the body must be read before `bind`; where not, `bind` does not look at it. */
  needsBody(match: RestMatch): boolean;
  /**
   * Makes the RPC's request message. Lengths are the caller's to bound; all work is linear in them.
   *
   * @throws RestError 400 or 415
   */
  bind(match: RestMatch, request: RestRequest): Message;
  /** Writes the RPC's response message. */
  present(match: RestMatch, message: Message): RestAnswer;
}

/**
 * Compiles the google.api.http bindings of services into a transcoder.
 *
 * @throws Error that names the RPC (or both) when a binding is malformed, impossible or ambiguous
 */
export function createTranscoder(options: TranscoderOptions): Transcoder {
  const basePath = readBasePath(options.basePath ?? "");
  const tableOf = createTables(options.isLenient ?? (() => false));
  const bindings = options.services.flatMap((service) => compileBindings(service, basePath, tableOf));
  const root = compileRoutes(bindings);
  const answerers = new Map(bindings.map((binding) => [binding, createAnswerer(binding, options)]));
  const optional = new Set(bindings.filter(({ method }) => options.isBodyOptional?.(method)));
  return {
    bindings,
    match: (httpMethod, path) => matchPath(root, httpMethod, path),
    needsBody: ({ route }) => route.body.kind !== "none",
    bind: ({ route, variables }, request) => bindRequest(route, variables, request, optional.has(route)),
    present: ({ route }, message) => {
      const answer = answerers.get(route);
      if (answer === undefined) {
        throw new Error(`the binding of ${route.owner} belongs to another transcoder`);
      }
      return answer(message);
    },
  };
}

function createAnswerer(
  binding: Binding,
  { isNullable = () => false, successStatus }: TranscoderOptions,
): (message: Message) => RestAnswer {
  const { method, owner, responseField } = binding;
  const status = successStatus?.(method) ?? (method.output.fields.length === 0 ? 204 : 200);
  if (!Number.isInteger(status) || status < 200 || status > 299) {
    throw new Error(`${owner} has the success status ${status}, which is not between 200 and 299`);
  }
  // RFC 9110 sections 15.3.5 and 15.3.6: neither has content.
  if (status === 204 || status === 205) {
    return () => ({ status, body: null });
  }
  const present = createPresenters(isNullable)(method.output, responseField);
  const encoder = new TextEncoder();
  return (message) => ({ status, body: encoder.encode(present(message)) });
}

function readBasePath(basePath: string): string {
  const trimmed = basePath.endsWith("/") ? basePath.slice(0, -1) : basePath;
  if (!/^(?:\/[A-Za-z0-9\-._~]+)*$/.test(trimmed)) {
    throw new Error(
      "the base path must be empty, or segments of letters, digits and -._~, each after a slash",
    );
  }
  return trimmed;
}
