import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import {
  type Context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { type Reason, reasons } from "../../errors/reasons.ts";
import { formatTraceparent, parseTraceparent, type TraceParent } from "../../lib/traceparent.ts";

/** A request's place in its trace. */
export interface RequestTrace {
  readonly traceId: string;
  /** This request's place, a child of the caller's. */
  readonly spanId: string;
  /** For what is done on behalf of the request, so that an SDK's instrumentations find their parent. */
  readonly context: Context;
  /** The `traceresponse` for a caller who sent a traceparent (W3C Trace Context); null for others. */
  readonly traceresponse: string | null;
  nameRpc(rpc: string, protocol: string): void;
  end(status: number, reason: Reason | null): void;
}

// Spans are made through the API alone. Without an SDK in the process they are nothing and cost next to it.
const tracer = trace.getTracer("countersign");

/**
 * Begins a request's span: a child of the caller's where its headers name one, else a new trace. They are read
 * by the SDK's propagator where there is one, which may know other headers; without, `traceparent` is.
 */
export function beginTrace(method: string, headers: IncomingHttpHeaders): RequestTrace {
  const given = headers["traceparent"];
  const { parent, parentContext } = readParent(headers);
  const options = { kind: SpanKind.SERVER, attributes: { "http.request.method": method } };
  const span = tracer.startSpan(method, options, parentContext);
  const own = ownPlace(span, parent);
  return {
    traceId: own.traceId,
    spanId: own.spanId,
    context: trace.setSpan(parentContext, span),
    traceresponse: given === undefined ? null : formatTraceparent(own),
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

function readParent(headers: IncomingHttpHeaders): { parent: TraceParent | null; parentContext: Context } {
  const extracted = propagation.extract(ROOT_CONTEXT, headers);
  const found = trace.getSpanContext(extracted);
  if (found !== undefined) return { parent: { ...found, flags: found.traceFlags }, parentContext: extracted };
  const given = headers["traceparent"];
  const parent = typeof given === "string" ? parseTraceparent(given) : null;
  if (parent === null) return { parent, parentContext: extracted };
  const { traceId, spanId, flags } = parent;
  const remote = { traceId, spanId, traceFlags: flags, isRemote: true };
  return { parent, parentContext: trace.setSpanContext(extracted, remote) };
}

/** The SDK's ids where there is one; without, the API hands back the parent, or nothing valid. */
function ownPlace(span: Span, parent: TraceParent | null): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if (isSpanContextValid({ traceId, spanId, traceFlags }) && spanId !== parent?.spanId) {
    return { traceId, spanId, flags: traceFlags };
  }
  const id = randomUUID();
  return {
    traceId: parent?.traceId ?? randomUUID().replaceAll("-", ""),
    // The parts of a UUID that are all random.
    spanId: id.slice(0, 8) + id.slice(28),
    // A trace id made here is random in its last 7 bytes, as the flag says (level 2, section 3.2.2.5.2).
    flags: parent?.flags ?? 0b10,
  };
}
