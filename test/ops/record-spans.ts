// Loaded into the service by `node --import`, as an operator loads an OpenTelemetry SDK. It registers a tracer and a
// context manager through the API alone, and writes each span that ends to SPANS_FILE, a line of JSON each.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import {
  type Context,
  context,
  type ContextManager,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  trace,
  type Tracer,
} from "@opentelemetry/api";

const file = process.env["SPANS_FILE"] ?? "";
const storage = new AsyncLocalStorage<Context>();

const contextManager: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (active, run, self, ...args) => storage.run(active, () => run.call(self as never, ...args)),
  bind: (_context, target) => target,
  enable: () => contextManager,
  disable: () => contextManager,
};

function startSpan(name: string, options: SpanOptions = {}, parentContext: Context = context.active()): Span {
  const parent = trace.getSpanContext(parentContext);
  const own: SpanContext = {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: 1,
  };
  const told = {
    name,
    kind: options.kind,
    status: 0,
    attributes: { ...options.attributes },
    activeWhenNamed: null as string | null,
  };
  const span: Span = {
    spanContext: () => own,
    isRecording: () => true,
    setAttribute(key, value) {
      told.attributes[key] = value;
      return span;
    },
    setAttributes(attributes) {
      Object.assign(told.attributes, attributes);
      return span;
    },
    setStatus({ code }) {
      told.status = code;
      return span;
    },
    updateName(next) {
      told.name = next;
      told.activeWhenNamed = trace.getSpanContext(context.active())?.spanId ?? null;
      return span;
    },
    end() {
      appendFileSync(file, `${JSON.stringify({ ...own, parentSpanId: parent?.spanId ?? null, ...told })}\n`);
    },
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    recordException: () => undefined,
  };
  return span;
}

const tracer = { startSpan } as Tracer;
trace.setGlobalTracerProvider({ getTracer: () => tracer });
context.setGlobalContextManager(contextManager);
