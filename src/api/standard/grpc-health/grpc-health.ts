import { AppError } from "../../../errors/app-error.ts";
import {
  type Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/grpc/health/v1/health_pb.ts";
import type { Handlers } from "../../handler.ts";
import { createWatch, type WatchedHealth } from "./watch.ts";

/** What the health service is built from. */
export interface GrpcHealthOptions {
  readonly health: WatchedHealth;
  /** The full names of the services served: `countersign.v1.AuthService`. */
  readonly serviceNames: readonly string[];
}

/**
 * Implements grpc.health.v1.Health: every service served, and the server as a whole (the empty name),
 * takes requests exactly when the instance is ready.
 *
 * Errors: `not_found` from Check for a service that is not served here.
 */
export function createGrpcHealth({ health, serviceNames }: GrpcHealthOptions): Handlers<typeof Health> {
  const names: ReadonlySet<string> = new Set(["", ...serviceNames]);
  const state = () => ({ status: health.readyz().ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING });

  return {
    check(request) {
      if (!names.has(request.service)) {
        throw new AppError("not_found", "No such service on this server.");
      }
      return state();
    },
    list() {
      const now = state();
      return { statuses: Object.fromEntries([...names].map((name) => [name, now])) };
    },
    watch: createWatch(health, names),
  };
}
