import { AppError } from "../errors/app-error.ts";
import type { Health } from "../ops/health.ts";
import { probe } from "../ops/probes.ts";
import { toAppError } from "../api/failure.ts";
import type { Wire } from "./connection/wire.ts";
import { checkRequest } from "./exchange/check-request.ts";
import type { Cors } from "./exchange/cors.ts";
import { Exchange, type ExchangeOptions } from "./exchange/exchange.ts";
import type { RecordRequest } from "./exchange/record-request.ts";
import { answerOtherMethods } from "./web/only-get.ts";
import type { Pages } from "./web/pages.ts";
import type { Admission } from "./peers/admit-request.ts";
import { detectProtocol } from "./rpc/protocols/detect-protocol.ts";
import type { UnaryProtocol } from "./rpc/protocols/unary-protocol.ts";
import { fromRestError, type RestGateway } from "./rest/rest-gateway.ts";
import type { RpcGateway } from "./rpc/rpc-gateway.ts";

/**
 * Answers every request of the public listener, whatever protocol it is in.
 *
 * @param admission a refusal is answered, and the connection ends with it; a place is given back when the request is over
 */
export type Edge = (wire: Wire, admission: Admission) => void;

/** What the edge is made of. */
export interface EdgeDeps {
  readonly rpc: RpcGateway;
  readonly rest: RestGateway;
  readonly health: Health;
  readonly cors: Cors;
  readonly pages: Pages;
  readonly exchange: ExchangeOptions;
  readonly recordRequest: RecordRequest;
}

/** The edge: it gives each request its id and its span, sends it on its way, answers its failure, and records it once. */
export function createEdge(deps: EdgeDeps): Edge {
  const route = (exchange: Exchange, protocol: UnaryProtocol | null): Promise<void> | null => {
    checkRequest(exchange);
    if (deps.cors.answerPreflight(exchange)) return null;
    if (protocol !== null) return deps.rpc.handle(exchange, protocol);
    if (answerProbe(deps.health, exchange)) return null;
    if (deps.pages.has(exchange.path)) return deps.pages.answer(exchange);
    exchange.outcome.protocol = "rest";
    return deps.rest.handle(exchange);
  };

  const fail = (exchange: Exchange, protocol: UnaryProtocol | null, error: AppError): void => {
    exchange.outcome.reason = error.reason;
    exchange.outcome.error = error;
    if (protocol === null) deps.rest.fail(exchange, error);
    else deps.rpc.fail(exchange, protocol, error);
  };

  const answer = async (exchange: Exchange, protocol: UnaryProtocol | null): Promise<void> => {
    try {
      const answering = exchange.trace.run(() => route(exchange, protocol));
      if (answering !== null) await answering;
    } catch (error) {
      fail(exchange, protocol, toAppError(fromRestError(error)));
    }
  };

  return (wire, admission) => {
    const exchange = new Exchange(wire, deps.exchange);
    exchange.whenOver(() => {
      deps.recordRequest(exchange);
      if (admission !== null && "release" in admission) admission.release();
    });
    const protocol = detectProtocol(exchange);
    if (protocol !== null) exchange.outcome.protocol = protocol.name;
    if (admission instanceof AppError) {
      exchange.isLast = true;
      fail(exchange, protocol, admission);
    } else {
      answer(exchange, protocol).catch(() => wire.destroy());
    }
  };
}

function answerProbe(health: Health, exchange: Exchange): boolean {
  const answer = probe(health, exchange.path, exchange.query, { detail: false });
  if (answer === null) return false;
  if (answerOtherMethods(exchange)) return true;
  const headers = { "content-type": answer.contentType, "cache-control": answer.cacheControl };
  exchange.reply({ status: answer.status, headers, body: Buffer.from(answer.body) });
  return true;
}
