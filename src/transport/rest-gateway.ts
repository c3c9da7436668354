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
import { createTranscoder } from "../rest/transcoder.ts";
import { failureHeaders } from "../rpc/failure.ts";
import type { RpcTable } from "../rpc/router.ts";
import type { CallUnary } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { type ProblemAddress, problemOf } from "./problem.ts";
import { headersToObject } from "./reply.ts";

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

/** @param options BASE_PATH, and where links in problems point to */
export function createRestGateway(
  table: RpcTable,
  callUnary: CallUnary,
  options: { readonly basePath: string } & ProblemAddress,
): RestGateway {
  const transcoder = createTranscoder({
    services: table.services,
    basePath: options.basePath,
    isLenient: (message) => getOption(message, oauth_parameters),
    isNullable: (field: DescField) => getOption(field, nullable),
    isBodyOptional: isTokenEnough,
    successStatus: (method) => getOption(method, success_status) || undefined,
  });

  return {
    async handle(exchange) {
      const match = transcoder.match(exchange.method, underBasePath(exchange.path, options.basePath));
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
      exchange.isOauthEndpoint = getOption(method, oauth_endpoint);
      exchange.outcome.rpc = `${method.parent.typeName}/${method.name}`;
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
      const { status, body } = transcoder.present(match, result.message);
      const headers = headersToObject(result.header);
      if (body !== null) headers["content-type"] = "application/json";
      exchange.reply({ status, headers, body });
    },

    fail(exchange, error) {
      const { isOauthEndpoint } = exchange;
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

/** Where a token alone will do, there need not be a body. */
function isTokenEnough(method: DescMethod): boolean {
  const { rule } = getOption(method, access);
  return rule.case === "bearer" && rule.value.unlessField !== "";
}

/** OAuth clients expect application/json without asking for it (RFC 6749 section 5.2). */
function plainJsonUnlessNamed(accept: string | undefined): string {
  return /application\/problem\+json/i.test(accept ?? "") ? (accept ?? "") : "application/json";
}

const metadataPath = "/.well-known/oauth-authorization-server";

/** RFC 8414 section 3.1 puts an issuer's path behind the well-known one; our routes have it in front. */
function underBasePath(path: string, basePath: string): string {
  return basePath !== "" && path === metadataPath + basePath ? basePath + metadataPath : path;
}

/** The transcoder's refusals by the names of the registry; other errors as they are. */
export function fromRestError(error: unknown): unknown {
  if (!(error instanceof RestError)) return error;
  return new AppError(reasonByStatus[error.status], error.message, { allow: error.allow, cause: error });
}
