import { create } from "@bufbuild/protobuf";
import { AccessSchema, LimitSchema } from "../../gen/countersign/v1/options_pb.ts";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.ts";
import { Health as HealthService } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Health } from "../../ops/health.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { createGrpcHealth } from "./grpc-health/grpc-health.ts";
import { createReflection } from "./reflection/reflection.ts";

/**
 * Registers the services of gRPC's own protocols, whose protos cannot hold our rules: anyone may call them.
 *
 * @param own the services of our contract, which health and reflection report
 * @param questions how long a client that asks for descriptors may be silent; null if none may ask
 */
export function createStandardServices(
  own: readonly ServiceEntry[],
  health: Health,
  questions: { readonly idleMs: number } | null,
): ServiceEntry[] {
  const rules = {
    access: create(AccessSchema, { rule: { case: "anyone", value: true } }),
    limit: create(LimitSchema, { rule: { case: "none", value: "Answers are kept in memory." } }),
  };
  const serviceNames = own.map(({ service }) => service.typeName);
  const entries = [serve(HealthService, createGrpcHealth({ health, serviceNames }), rules)];
  if (questions === null) return entries;
  const services = [
    ...own.map(({ service }) => service),
    HealthService,
    ServerReflection,
    ServerReflectionV1Alpha,
  ];
  const reflection = createReflection({ services, files: [file_google_rpc_error_details], ...questions });
  return [
    ...entries,
    serve(ServerReflection, reflection.v1, rules),
    serve(ServerReflectionV1Alpha, reflection.v1alpha, rules),
  ];
}
