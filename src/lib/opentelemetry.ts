import type * as Api from "@opentelemetry/api";

/** Under this name the API keeps what an SDK registers; every 1.x version of it, so that they find one another. */
const registered = Symbol.for("opentelemetry.js.api.1");

/**
 * OpenTelemetry's API; null if no SDK is in the process. An SDK is loaded before the service, so this is known once and
 * for all. Without one, neither the start nor a request pays for the API.
 */
export const opentelemetry: typeof Api | null =
  registered in globalThis ? await import("@opentelemetry/api") : null;
