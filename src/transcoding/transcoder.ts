import { createRegistry } from "@bufbuild/protobuf";
import type { DescField, DescFile, DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { negotiateStream } from "./accept.ts";
import { createAnswerer } from "./answer.ts";
import type { Answerer, RestAnswer } from "./answer.ts";
import { bindRequest } from "./bind.ts";
import type { RestRequest } from "./bind.ts";
import { compileBindings } from "./binding.ts";
import type { Binding, RestMethod } from "./binding.ts";
import { matchPath } from "./match-path.ts";
import type { FoundRoute, RouteMatch } from "./match-path.ts";
import { createTables } from "./message-table.ts";
import { compileRoutes } from "./route-trie.ts";
import { createJsonStreamWriter, createRawStreamWriter } from "./stream-writer.ts";
import type { StreamWriter } from "./stream-writer.ts";

/** A service's own options for its RPCs, messages and fields, beyond google.api.http. */
export interface TranscoderOptions {
  /**
   * The services whose RPCs are bound; an RPC without google.api.http has no REST route. An Any holds
   * messages of their files, and of those that these import.
   */
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
  /** Whether a field that does not track presence is left out while it is zero. By default it is written. */
  readonly omitsZero?: (field: DescField) => boolean;
  /**
   * The status of a success, from 200 to 299; undefined: 200, or 204 for a single message without fields.
   */
  readonly successStatus?: (method: RestMethod) => number | undefined;
  /** The media types that a single JSON answer has beside `application/json`, for callers who prefer them. */
  readonly mediaTypes?: (method: RestMethod) => readonly string[];
  /** Whether a body that the binding asks for may be empty. By default it may not. */
  readonly isBodyOptional?: (method: RestMethod) => boolean;
}

/** A matched request: its binding and the texts of its path variables. */
export type RestMatch = FoundRoute<Binding>;

/** The answer to a success of an RPC that streams. */
export interface RestStream {
  readonly status: number;
  readonly writer: StreamWriter;
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
  /** Whether the body must be read before `bind`; otherwise `bind` ignores it. */
  needsBody(match: RestMatch): boolean;
  /**
   * Makes the RPC's request message. Lengths are the caller's to bound; all work is linear in them.
   *
   * @throws RestError 400 or 415
   */
  bind(match: RestMatch, request: RestRequest): Message;
  /** Whether an Accept header allows the RPC's answer. It is not checked for HttpBody, whose type is fixed. */
  accepts(match: RestMatch, accept: string | undefined): boolean;
  /**
   * Writes the response message of an RPC that answers once.
   *
   * @param accept the header, which `accepts`
   * @param nulls the proto names of unset fields that this one answer writes as null, at its end
   */
  present(match: RestMatch, message: Message, accept?: string, nulls?: readonly string[]): RestAnswer;
  /**
   * Begins the answer of an RPC that streams. Report a failure before the first message like any other,
   * with its own status.
   *
   * @param accept the header, which `accepts`
   */
  openStream(match: RestMatch, accept: string | undefined): RestStream;
}

/**
 * Compiles the google.api.http bindings of services into a transcoder.
 *
 * @throws Error that names the RPC (or both) when a binding is malformed, impossible or ambiguous
 */
export function createTranscoder(options: TranscoderOptions): Transcoder {
  const basePath = readBasePath(options.basePath ?? "");
  const registry = createRegistry(...filesOf(options.services));
  const tableOf = createTables(options.isLenient ?? (() => false), registry);
  const bindings = options.services.flatMap((service) => compileBindings(service, basePath, tableOf));
  const root = compileRoutes(bindings);
  const {
    isNullable = () => false,
    omitsZero = () => false,
    successStatus = () => undefined,
    mediaTypes = () => [],
  } = options;
  const answerOptions = { isNullable, omitsZero, successStatus, mediaTypes, registry };
  const answerers = new Map(bindings.map((binding) => [binding, createAnswerer(binding, answerOptions)]));
  const optional = new Set(bindings.filter(({ method }) => options.isBodyOptional?.(method)));
  const answererOf = ({ route }: RestMatch): Answerer => {
    const answerer = answerers.get(route);
    if (answerer === undefined) {
      throw new Error(`the binding of ${route.owner} belongs to another transcoder`);
    }
    return answerer;
  };
  return {
    bindings,
    match: (httpMethod, path) => matchPath(root, httpMethod, path),
    needsBody: ({ route }) => route.body.kind !== "none",
    bind: ({ route, variables }, request) => bindRequest(route, variables, request, optional.has(route)),
    accepts(match, accept) {
      const answerer = answererOf(match);
      switch (answerer.kind) {
        case "unary":
          return answerer.accepts(accept);
        case "json_stream":
          return negotiateStream(accept) !== null;
        case "raw_stream":
          return true;
      }
    },
    present(match, message, accept, nulls = []) {
      const answerer = answererOf(match);
      if (answerer.kind !== "unary") {
        throw new Error(`${match.route.owner} answers with a stream`);
      }
      return answerer.answer(message, accept, nulls);
    },
    openStream(match, accept) {
      const answerer = answererOf(match);
      if (answerer.kind === "unary") {
        throw new Error(`${match.route.owner} answers with one message`);
      }
      const { status } = answerer;
      const writer =
        answerer.kind === "raw_stream"
          ? createRawStreamWriter(answerer.read)
          : createJsonStreamWriter(negotiateStream(accept) ?? "ndjson", answerer.present);
      return { status, writer };
    },
  };
}

function filesOf(services: readonly DescService[]): DescFile[] {
  const files = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file)) {
      return;
    }
    files.add(file);
    file.dependencies.forEach(add);
  };
  for (const service of services) {
    add(service.file);
  }
  return [...files];
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
