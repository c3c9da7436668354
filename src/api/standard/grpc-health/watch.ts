import {
  type Health as HealthService,
  type HealthCheckResponse_ServingStatus,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/health/v1/health_pb.ts";
import type { Health, Readiness } from "../../../ops/health.ts";
import type { Handler } from "../../handler.ts";
import { requireInTime } from "../../reading/stream-end.ts";

/** The part of health that the health service asks. */
export type WatchedHealth = Pick<Health, "readyz" | "onChange">;

/**
 * Implements Health.Watch: the state now, then each change. A caller that reads slowly gets the
 * latest state and misses those in between. The stream of a service that is not served here says
 * SERVICE_UNKNOWN and stays open, as the protocol requires. All streams end when draining begins, after
 * NOT_SERVING was sent, and when the caller goes away.
 */
export function createWatch(
  health: WatchedHealth,
  names: ReadonlySet<string>,
): Handler<typeof HealthService.method.watch> {
  return async function* watch(request, { signal }) {
    const isServed = names.has(request.service);
    let told: HealthCheckResponse_ServingStatus | null = null;
    for await (const readiness of readinessOverTime(health, signal)) {
      const status = isServed ? servingStatus(readiness) : ServingStatus.SERVICE_UNKNOWN;
      if (status !== told) {
        told = status;
        yield { status };
      }
    }
    requireInTime(signal);
  };
}

function servingStatus({ ready }: Readiness): HealthCheckResponse_ServingStatus {
  return ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}

async function* readinessOverTime(health: WatchedHealth, signal: AbortSignal): AsyncGenerator<Readiness> {
  let changed = Promise.withResolvers<void>();
  const wake = () => changed.resolve();
  const unsubscribe = health.onChange(wake);
  signal.addEventListener("abort", wake);
  try {
    while (!signal.aborted) {
      const readiness = health.readyz();
      yield readiness;
      if (readiness.phase === "draining") {
        return;
      }
      await changed.promise;
      changed = Promise.withResolvers();
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", wake);
  }
}
