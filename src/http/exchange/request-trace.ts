import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Context, Span } from "@opentelemetry/api";
import { type Reason, reasons } from "../../errors/reasons.ts";
import { opentelemetry } from "../../lib/opentelemetry.ts";
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
  const given = headers["traceparent"];
  const { own, run, nameRpc, end } =
    opentelemetry === null ? beginPlace(headers) : beginSpan(opentelemetry, method, headers);
  return {
    run,
    nameRpc,
    end,
    traceId: own.traceId,
    spanId: own.spanId,
    traceresponse: given === undefined ? null : formatTraceparent(own),
  };
}

interface Place extends Pick<RequestTrace, "run" | "nameRpc" | "end"> {
  readonly own: TraceParent;
}

function beginPlace(headers: IncomingHttpHeaders): Place {
  return { own: placeBelow(readTraceparent(headers)), run: (step) => step(), nameRpc: ignore, end: ignore };
}

function ignore(): void {
  // Nothing is recorded.
}

function beginSpan(api: Api, method: string, headers: IncomingHttpHeaders): Place {
  const { context, isSpanContextValid, SpanKind, SpanStatusCode, trace } = api;
  const { parent, parentContext } = readParent(api, headers);
  const options = { kind: SpanKind.SERVER, attributes: { "http.request.method": method } };
  const span: Span = trace.getTracer("countersign").startSpan(method, options, parentContext);
  const { traceId, spanId, traceFlags } = span.spanContext();
  // The SDK's ids; one that does not record hands back the parent, or nothing valid.
  const isOwn = isSpanContextValid({ traceId, spanId, traceFlags }) && spanId !== parent?.spanId;
  const spanContext = trace.setSpan(parentContext, span);
  return {
    own: isOwn ? { traceId, spanId, flags: traceFlags } : placeBelow(parent),
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

/** A place of its own, without an SDK. */
function placeBelow(parent: TraceParent | null): TraceParent {
  const id = randomUUID();
  return {
    traceId: parent?.traceId ?? randomUUID().replaceAll("-", ""),
    // The parts of a UUID that are all random.
    spanId: id.slice(0, 8) + id.slice(28),
    // A trace id made here is random in its last 7 bytes, as the flag says (level 2, section 3.2.2.5.2).
    flags: parent?.flags ?? 0b10,
  };
}
