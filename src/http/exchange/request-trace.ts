import type { IncomingHttpHeaders } from "node:http";
import type { Context, Span } from "@opentelemetry/api";
import { type Reason, reasons } from "../../errors/reasons.ts";
import { opentelemetry } from "../../lib/opentelemetry.ts";
import { randomHex } from "../../lib/random-hex.ts";
import { formatTraceparent, parseTraceparent, type TraceParent } from "../../lib/traceparent.ts";

/** A request's place in its trace. */
export interface RequestTrace {
  readonly traceId: string;
  /** This request's place, a child of the caller's. */
  readonly spanId: string;
  /** Runs work on behalf of the request, so that an SDK's instrumentations find their parent. */
  run<T>(step: () => T): T;
  /** The `traceresponse` for a caller who sent a traceparent (W3C Trace Context); null for others. */
  readonly traceresponse: string | null;
  nameRpc(rpc: string, protocol: string): void;
  end(status: number, reason: Reason | null): void;
}

type Api = NonNullable<typeof opentelemetry>;

/**
 * Begins a request's place in its trace: below the caller's where its headers name one, else in a new trace. With an
 * SDK it is a span, and the SDK's propagator reads the headers, which may know others. Without one, `traceparent` is
 * read, and nothing is recorded.
 */
export function beginTrace(method: string, headers: IncomingHttpHeaders): RequestTrace {
  return opentelemetry === null ? new Place(headers) : beginSpan(opentelemetry, method, headers);
}

/** A place in a trace without an SDK. Its ids are made when somebody asks for them. */
class Place implements RequestTrace {
  readonly #headers: IncomingHttpHeaders;
  #own: TraceParent | null = null;

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers;
  }

  get traceId(): string {
    return this.#place().traceId;
  }

  get spanId(): string {
    return this.#place().spanId;
  }

  get traceresponse(): string | null {
    return traceresponseTo(this.#headers, () => this.#place());
  }

  run<T>(step: () => T): T {
    return step();
  }

  nameRpc(): void {
    // Nothing is recorded.
  }

  end(): void {
    // Nothing is recorded.
  }

  #place(): TraceParent {
    this.#own ??= placeBelow(readTraceparent(this.#headers));
    return this.#own;
  }
}

function traceresponseTo(headers: IncomingHttpHeaders, place: () => TraceParent): string | null {
  return headers["traceparent"] === undefined ? null : formatTraceparent(place());
}

function beginSpan(api: Api, method: string, headers: IncomingHttpHeaders): RequestTrace {
  const { context, isSpanContextValid, SpanKind, SpanStatusCode, trace } = api;
  const { parent, parentContext } = readParent(api, headers);
  const options = { kind: SpanKind.SERVER, attributes: { "http.request.method": method } };
  const span: Span = trace.getTracer("countersign").startSpan(method, options, parentContext);
  const { traceId, spanId, traceFlags } = span.spanContext();
  // The SDK's ids; one that does not record hands back the parent, or nothing valid.
  const isOwn = isSpanContextValid({ traceId, spanId, traceFlags }) && spanId !== parent?.spanId;
  const spanContext = trace.setSpan(parentContext, span);
  const own = isOwn ? { traceId, spanId, flags: traceFlags } : placeBelow(parent);
  return {
    traceId: own.traceId,
    spanId: own.spanId,
    traceresponse: traceresponseTo(headers, () => own),
    run: (step) => context.with(spanContext, step),
    nameRpc(rpc, protocol) {
      span.updateName(rpc);
      span.setAttributes({ "rpc.method": rpc, "rpc.system.name": protocol });
    },
    end(status, reason) {
      span.setAttribute("http.response.status_code", status);
      if (reason !== null) span.setAttribute("error.type", reason);
      if (reason !== null && reasons[reason].status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function readParent(
  { propagation, ROOT_CONTEXT, trace }: Api,
  headers: IncomingHttpHeaders,
): { parent: TraceParent | null; parentContext: Context } {
  const extracted = propagation.extract(ROOT_CONTEXT, headers);
  const found = trace.getSpanContext(extracted);
  if (found !== undefined) return { parent: { ...found, flags: found.traceFlags }, parentContext: extracted };
  const parent = readTraceparent(headers);
  if (parent === null) return { parent, parentContext: extracted };
  const { traceId, spanId, flags } = parent;
  const remote = { traceId, spanId, traceFlags: flags, isRemote: true };
  return { parent, parentContext: trace.setSpanContext(extracted, remote) };
}

function readTraceparent(headers: IncomingHttpHeaders): TraceParent | null {
  const given = headers["traceparent"];
  return typeof given === "string" ? parseTraceparent(given) : null;
}

/** A place of our own. */
function placeBelow(parent: TraceParent | null): TraceParent {
  return {
    traceId: parent?.traceId ?? randomHex(32),
    spanId: randomHex(16),
    // A trace id made here is random in its last 7 bytes, as the flag says (level 2, section 3.2.2.5.2).
    flags: parent?.flags ?? 0b10,
  };
}
