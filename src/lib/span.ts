import type { Attributes, Span } from "@opentelemetry/api";
import { opentelemetry } from "./opentelemetry.ts";

/** What a step of a request works with. */
export type StepKind = "hash" | "postgresql" | "redis";

type Api = NonNullable<typeof opentelemetry>;

// The code of a failure in a driver or the kernel: an SQLSTATE, ECONNREFUSED. A longer text may contain a value.
const codeForm = /^[A-Z0-9_]{1,20}$/;

/**
 * Runs a step of a request in its own span, below the active one; the span holds only the step's name. There is no span
 * if no SDK is loaded, the request is not sampled, or the step belongs to no request.
 *
 * @param name one of a closed set: a statement's, a script's, a kind of hash
 */
export function inSpan<T>(
  kind: StepKind,
  name: string,
  run: (span: Pick<Span, "addEvent"> | null) => Promise<T>,
): Promise<T> {
  if (recording?.trace.getActiveSpan()?.isRecording() !== true) return run(null);
  return runInSpan(recording, kind, name, run);
}

/** Only an SDK remembers the active span. Without one, a step has no overhead. */
const recording = opentelemetry !== null && remembersContext(opentelemetry) ? opentelemetry : null;

function remembersContext({ context, createContextKey, ROOT_CONTEXT }: Api): boolean {
  const key = createContextKey("countersign");
  return context.with(ROOT_CONTEXT.setValue(key, true), () => context.active().getValue(key) === true);
}

async function runInSpan<T>(
  { context, SpanKind, SpanStatusCode, trace }: Api,
  kind: StepKind,
  name: string,
  run: (span: Pick<Span, "addEvent">) => Promise<T>,
): Promise<T> {
  const spanKind = kind === "hash" ? SpanKind.INTERNAL : SpanKind.CLIENT;
  const tracer = trace.getTracer("countersign");
  const span = tracer.startSpan(`${kind} ${name}`, { kind: spanKind, attributes: attributesOf(kind, name) });
  try {
    return await context.with(trace.setSpan(context.active(), span), run, undefined, span);
  } catch (error) {
    span.setAttribute("error.type", typeOf(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** As OpenTelemetry's semantic conventions name them. */
function attributesOf(kind: StepKind, name: string): Attributes {
  if (kind === "hash") return { "countersign.hash.kind": name };
  return { "db.system.name": kind, "db.query.summary": name };
}

function typeOf(error: unknown): string {
  if (!Error.isError(error)) return "_OTHER";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return codeForm.test(code) ? code : error.name;
}
