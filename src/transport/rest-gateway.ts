import { type DescField, type DescMethod, getOption } from "@bufbuild/protobuf";
import { AppError, type Reason } from "../domain/errors.ts";
import {
  access,
  nullable,
  oauth_endpoint,
  oauth_parameters,
  success_status,
} from "../gen/countersign/v1/options_pb.ts";
import { acceptsJson } from "../rest/accept.ts";
import { renderProblem } from "../rest/problem.ts";
import { RestError, type RestStatus } from "../rest/rest-error.ts";
import { createTranscoder, type RestAnswer } from "../rest/transcoder.ts";
import { failureHeaders } from "../rpc/failure.ts";
import type { RpcTable } from "../rpc/router.ts";
import type { CallUnary } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { type ProblemAddress, problemOf } from "./problem.ts";
import { headersToObject } from "./reply.ts";
import { createRoutePaths } from "./route-paths.ts";

/** The way in for REST: the transcoder on one side, the interceptors of every protocol on the other. */
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

/** @param options BASE_PATH, ISSUER, and where links in problems point to */
export function createRestGateway(
  table: RpcTable,
  callUnary: CallUnary,
  options: { readonly basePath: string; readonly issuer: string } & ProblemAddress,
): RestGateway {
  const transcoder = createTranscoder({
    services: table.services,
    basePath: options.basePath,
    isLenient: (message) => getOption(message, oauth_parameters),
    isNullable: (field: DescField) => getOption(field, nullable),
    isBodyOptional: isTokenEnough,
    successStatus: (method) => getOption(method, success_status) || undefined,
  });

  const toRoute = createRoutePaths(options.basePath, options.issuer);
  const find = ({ method, path }: Exchange) => transcoder.match(method, toRoute(path));

  /** Whether a request is for an endpoint of RFC 6749, 7009 or 7662, also where it got no further. */
  const isForOauth = (exchange: Exchange): boolean => {
    try {
      const match = find(exchange);
      return match.kind === "found" && getOption(match.route.method, oauth_endpoint);
    } catch (error) {
      if (error instanceof RestError) return false;
      throw error;
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
      const { method } = match.route;
      const spec = table.byMethod.get(method);
      if (spec?.kind !== "unary") throw new Error(`${method.name} is no unary RPC of the table`);
      exchange.beginRpc(`${method.parent.typeName}/${method.name}`);
      if (!acceptsJson(exchange.header("accept"))) {
        throw new AppError(
          "not_acceptable",
          "The answer is application/json, which the Accept header excludes.",
        );
      }
      const message = transcoder.bind(match, {
        query: exchange.query,
        contentType: exchange.header("content-type"),
        contentEncoding: exchange.header("content-encoding"),
        body: transcoder.needsBody(match) ? await exchange.readBody() : empty,
      });
      const caller = { protocol: "rest", timeoutMs: undefined };
      const result = await callUnary(exchange, spec, message, caller);
      const { status, body } = withNulls(transcoder.present(match, result.message), exchange.nulls);
      const headers = headersToObject(result.header);
      if (body !== null) headers["content-type"] = "application/json";
      exchange.reply({ status, headers, body });
    },

    fail(exchange, error) {
      const isOauthEndpoint = isForOauth(exchange);
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
    },
  };
}

/** What is null in this answer alone, the contract's descriptors cannot say. */
function withNulls(answer: RestAnswer, names: readonly string[]): RestAnswer {
  if (answer.body === null || names.length === 0) return answer;
  const json: object = JSON.parse(Buffer.from(answer.body).toString());
  const nulls = Object.fromEntries(names.map((name) => [name, null]));
  return { ...answer, body: Buffer.from(JSON.stringify({ ...json, ...nulls })) };
}

/** Where a token alone will do, there need not be a body. */
function isTokenEnough(method: DescMethod): boolean {
  const { rule } = getOption(method, access);
  return rule.case === "bearer" && rule.value.unlessField !== "";
}

/** OAuth clients expect application/json without asking for it (RFC 6749 section 5.2). */
function plainJsonUnlessNamed(accept: string | undefined): string {
  return /application\/problem\+json/i.test(accept ?? "") ? (accept ?? "") : "application/json";
}

/** The transcoder's refusals by the names of the registry; other errors as they are. */
export function fromRestError(error: unknown): unknown {
  if (!(error instanceof RestError)) return error;
  return new AppError(reasonByStatus[error.status], error.message, { allow: error.allow, cause: error });
}
