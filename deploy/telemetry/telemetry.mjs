// Exports Countersign's spans by OTLP over HTTP. It lies in a folder of its own, with its packages beside it:
//
//   mkdir --parents /etc/countersign/telemetry && cd /etc/countersign/telemetry
//   npm install @opentelemetry/sdk-trace-node@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1 \
//     @opentelemetry/resources@2.12.1
//
// and is loaded before the service, which needs no other change:
//
//   OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 \
//   NODE_OPTIONS=--import=/etc/countersign/telemetry/telemetry.mjs npm start
//
// OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER (parentbased_traceidratio, with OTEL_TRACES_SAMPLER_ARG=0.1) are read too.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ "service.name": process.env.OTEL_SERVICE_NAME ?? "countersign" }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();

// The last spans are sent when the service has ended in order.
process.once("beforeExit", () => {
  provider.shutdown().catch(() => undefined);
});
