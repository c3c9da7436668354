import type { AccessRule } from "../access-rule.ts";
import type { AccessToken } from "../access-token.ts";
import { presentHttpRefusal } from "../http-refusal.ts";
import type { Verifier } from "../verifier.ts";
import { VerifyError } from "../verify-error.ts";

/** The part of Fastify's request that is needed. */
export interface FastifyRequestLike {
  readonly headers: { readonly authorization?: string | undefined };
  readonly routeOptions: { readonly config: unknown };
  /** Whether no route has the request's path. */
  readonly is404: boolean;
}

/** The part of Fastify's reply that is needed. */
export interface FastifyReplyLike {
  code(status: number): FastifyReplyLike;
  headers(values: Record<string, string>): FastifyReplyLike;
  send(body: string): unknown;
}

/** The part of a Fastify instance that is needed. */
export interface FastifyLike {
  addHook(name: "onRoute", hook: (route: FastifyRouteLike) => void): unknown;
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>,
  ): unknown;
}

/** What Fastify tells of a route that is registered. */
export interface FastifyRouteLike {
  readonly method: string | readonly string[];
  readonly url: string;
  readonly config?: object;
}

const callers = new WeakMap<object, AccessToken>();

/**
 * Guards every route by the `access` of its config: `{ config: { access: { scopes: ["orders.read"] } } }`. A route
 * without one stops the start; one that was registered before is refused: silence means no.
 */
export function guardRoutes(app: FastifyLike, verifier: Verifier): void {
  app.addHook("onRoute", ({ method, url, config }) => {
    if (ruleOf(config) === undefined) throw new Error(`${String(method)} ${url} has no config.access.`);
  });
  app.addHook("onRequest", async (request, reply) => {
    try {
      const rule = ruleOf(request.routeOptions.config);
      if (rule === undefined) {
        if (request.is404) return undefined;
        throw new VerifyError("no_rule");
      }
      const caller = await verifier.authorize(request.headers.authorization, rule);
      if (caller !== null) callers.set(request, caller);
      return undefined;
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      const { status, headers, body } = presentHttpRefusal(error);
      return reply.code(status).headers(headers).send(body);
    }
  });
}

/** @throws Error where the request's route admits anyone */
export function callerOf(request: object): AccessToken {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error("This request's route does not ask for a token.");
  return caller;
}

function ruleOf(config: unknown): AccessRule | undefined {
  return typeof config === "object" && config !== null && "access" in config
    ? (config.access as AccessRule | undefined)
    : undefined;
}
