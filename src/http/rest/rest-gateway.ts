import { type DescField, type DescMethod, getOption, type Message } from "@bufbuild/protobuf";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { AppError } from "../../errors/app-error.ts";
import type { Reason } from "../../errors/reasons.ts";
import {
  access,
  in_cookie,
  media_type,
  nullable,
  omit_empty,
  oauth_endpoint,
  oauth_parameters,
  success_status,
} from "../../gen/countersign/v1/options_pb.ts";
import { namesProblem } from "../../transcoding/accept.ts";
import { renderProblem } from "../../transcoding/problem.ts";
import { RestError, type RestStatus } from "../../transcoding/rest-error.ts";
import { createTranscoder, type RestMatch, type Transcoder } from "../../transcoding/transcoder.ts";
import { failureHeaders } from "../../api/failure.ts";
import type { Rpc, RpcTable } from "../../api/router.ts";
import { answerStream } from "./answer-stream.ts";
import { type CallClientStream, type CallStream, type OpenCall, runUnary } from "../rpc/call.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { type ProblemAddress, problemOf } from "./problem.ts";
import { readLines, requireLines } from "./read-lines.ts";
import { messageBytesMax } from "../connection/limits.ts";
import { createRoutePaths } from "./route-paths.ts";
import type { LeaseStream } from "../peers/stream-lease.ts";

/** The way in for REST: the transcoder on one side, the RPCs on the other. */
export interface RestGateway {
  handle(exchange: Exchange): Promise<void>;
  fail(exchange: Exchange, error: AppError): void;
}

const empty = new Uint8Array(0);

const reasonByStatus: Readonly<Record<RestStatus, Reason>> = {
  400: "malformed_request",
  404: "not_found",
  405: "method_not_allowed",
  406: "not_acceptable",
  408: "request_timeout",
  413: "payload_too_large",
  414: "uri_too_long",
  415: "unsupported_media_type",
  431: "headers_too_large",
};

/** Where REST is, and how it is answered. */
export interface RestOptions extends ProblemAddress {
  readonly basePath: string;
  readonly issuer: string;
  /** How long the caller of a stream may take to make room for more. */
  readonly bodyTimeoutMs: number;
}

/** The ways in for the two kinds of RPC that REST has. */
export interface RestCalls {
  readonly open: OpenCall;
  readonly stream: CallStream;
  readonly upload: CallClientStream;
  readonly lease: LeaseStream;
}

export function createRestGateway(table: RpcTable, calls: RestCalls, options: RestOptions): RestGateway {
  const transcoder = transcoderOf(table, options.basePath);
  const isOauth = ({ method }: Rpc): boolean => getOption(method, oauth_endpoint);
  const oauthRpcs = new Set(
    Array.from(table.byMethod.values())
      .filter(isOauth)
      .map(({ name }) => name),
  );
  const toRoute = createRoutePaths(options.basePath, options.issuer);
  const find = ({ method, path }: Exchange) => transcoder.match(method, toRoute(path));

  /** Whether a request is for an endpoint of RFC 6749, 7009 or 7662, also where it got no further. */
  const isForOauth = (exchange: Exchange): boolean => {
    const { rpc } = exchange.outcome;
    if (rpc !== null) return oauthRpcs.has(rpc);
    try {
      const match = find(exchange);
      return match.kind === "found" && isOauth(rpcOf(table, match));
    } catch (error) {
      if (error instanceof RestError) return false;
      throw error;
    }
  };

  const call = async (exchange: Exchange, match: RestMatch, rpc: Rpc): Promise<void> => {
    switch (rpc.kind) {
      case "unary": {
        const message = await readMessage(transcoder, exchange, match);
        const opened = calls.open(exchange, undefined);
        replyOnce(transcoder, exchange, match, await runUnary(rpc, opened, message), opened.answerHeaders);
        return;
      }
      case "client_streaming": {
        const messages = readMessages(transcoder, exchange, match);
        const answered = await calls.upload(exchange, rpc, messages, calls.lease(exchange));
        replyOnce(transcoder, exchange, match, answered.message, answered.headers);
        return;
      }
      case "server_streaming":
        await answerStream(
          exchange,
          calls.stream(exchange, rpc, await readMessage(transcoder, exchange, match), calls.lease(exchange)),
          transcoder.openStream(match, exchange.header("accept")),
          {
            writeTimeoutMs: options.bodyTimeoutMs,
            problemOf: (error) => problemOf(error, exchange.requestId, options, isForOauth(exchange)),
          },
        );
        return;
      default:
        throw new Error(`${rpc.name} is no RPC that REST can call`);
    }
  };

  return {
    async handle(exchange) {
      const match = find(exchange);
      switch (match.kind) {
        case "not_found":
          throw new AppError("not_found", "There is nothing at this path.");
        case "method_not_allowed":
          throw new AppError("method_not_allowed", "The path does not take this method.", {
            allow: match.allow,
          });
        case "options":
          exchange.reply({ status: 204, headers: { allow: match.allow.join(", ") }, body: null });
          return;
        case "found":
      }
      const rpc = rpcOf(table, match);
      exchange.beginRpc(rpc.name, rpc.kind !== "unary");
      if (!transcoder.accepts(match, exchange.header("accept"))) {
        throw notAcceptable(rpc.method);
      }
      await call(exchange, match, rpc);
    },

    fail: (exchange, error) => replyFailure(exchange, error, options, isForOauth(exchange)),
  };
}

/** The transcoder of all RPCs, as their options say. */
function transcoderOf(table: RpcTable, basePath: string): Transcoder {
  const methods = [...table.byMethod.keys()];
  const mediaTypes = new Map(methods.map((method) => [method, mediaTypesOf(method)]));
  return createTranscoder({
    services: table.services,
    basePath,
    isLenient: (message) => getOption(message, oauth_parameters),
    isNullable: (field: DescField) => getOption(field, nullable),
    omitsZero: (field: DescField) => getOption(field, omit_empty),
    isBodyOptional,
    successStatus: (method) => getOption(method, success_status) || undefined,
    mediaTypes: (method) => mediaTypes.get(method) ?? [],
  });
}

function rpcOf(table: RpcTable, { route: { method } }: RestMatch): Rpc {
  const rpc = table.byMethod.get(method);
  if (rpc === undefined) throw new Error(`${method.name} is no RPC of the table`);
  return rpc;
}

/** Answers with one message. */
function replyOnce(
  transcoder: Transcoder,
  exchange: Exchange,
  match: RestMatch,
  message: Message,
  answerHeaders: Readonly<Record<string, string>>,
): void {
  const answer = transcoder.present(match, message, exchange.header("accept"), exchange.nulls);
  const headers: Record<string, string> = { ...answerHeaders };
  if (answer.contentType !== null) headers["content-type"] = answer.contentType;
  exchange.reply({ status: answer.status, headers, body: answer.body });
}

function replyFailure(
  exchange: Exchange,
  error: AppError,
  options: RestOptions,
  isOauthEndpoint: boolean,
): void {
  const problem = problemOf(error, exchange.requestId, options, isOauthEndpoint);
  const accept = exchange.header("accept");
  const { contentType, body } = renderProblem(
    problem,
    isOauthEndpoint ? plainJsonUnlessNamed(accept) : accept,
  );
  const headers: Record<string, string> = {
    "cache-control": "no-store",
    ...failureHeaders(error, { authorization: exchange.header("authorization") }),
    "content-type": contentType,
  };
  // RFC 9110 section 11.6.1 has a challenge in a 401; at these endpoints most failures are none.
  if (problem.status !== 401 && isOauthEndpoint) delete headers["www-authenticate"];
  exchange.reply({ status: problem.status, headers, body });
}

async function readMessage(transcoder: Transcoder, exchange: Exchange, match: RestMatch): Promise<Message> {
  return transcoder.bind(match, {
    query: exchange.query,
    contentType: exchange.header("content-type"),
    contentEncoding: exchange.header("content-encoding"),
    body: transcoder.needsBody(match) ? await exchange.readBody() : empty,
  });
}

/** The messages of an upload: newline-delimited JSON, a message a line. */
function readMessages(transcoder: Transcoder, exchange: Exchange, match: RestMatch): AsyncIterable<Message> {
  const { query } = exchange;
  requireLines(exchange.header("content-type"), exchange.header("content-encoding"));
  return readLines(exchange.openBody(), messageBytesMax, (body) =>
    transcoder.bind(match, { query, contentType: "application/json", contentEncoding: undefined, body }),
  );
}

function notAcceptable(method: DescMethod): AppError {
  const types = ["application/json", ...mediaTypesOf(method)].join(" or ");
  const form = method.methodKind === "server_streaming" ? "a stream of JSON" : types;
  return new AppError("not_acceptable", `The answer is ${form}, which the Accept header excludes.`);
}

/** The media type that an RFC defines for the answer's JSON, if there is one. */
function mediaTypesOf(method: DescMethod): readonly string[] {
  const type = getOption(method, media_type);
  return type === "" ? [] : [type];
}

/** The body is optional if a token in the header or in a cookie is enough, or the path says what is to be done. */
function isBodyOptional(method: DescMethod): boolean {
  const { rule } = getOption(method, access);
  const required = method.input.fields.filter((field) => getOption(field, fieldRules).required);
  const needsNone = rule.case === "permission" || (rule.case === "bearer" && rule.value.unlessField !== "");
  if (needsNone && required.length === 0) return true;
  return required.length > 0 && required.every((field) => getOption(field, in_cookie));
}

/** OAuth clients expect application/json without asking for it (RFC 6749 section 5.2). */
function plainJsonUnlessNamed(accept: string | undefined): string {
  return namesProblem(accept) ? (accept ?? "") : "application/json";
}

/** The transcoder's refusals by the names of the registry; other errors as they are. */
export function fromRestError(error: unknown): unknown {
  if (!(error instanceof RestError)) return error;
  const { allow, acceptedCodings, field } = error;
  return new AppError(reasonByStatus[error.status], error.message, {
    allow,
    acceptedCodings,
    cause: error,
    ...(field === undefined
      ? {}
      : { fields: [{ field: field.path, code: field.code, detail: field.detail }] }),
  });
}
