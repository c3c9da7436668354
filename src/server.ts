import { create } from "@bufbuild/protobuf";
import type { Config } from "./config/config.ts";
import { AuthService } from "./gen/countersign/v1/auth_pb.ts";
import { AccessSchema } from "./gen/countersign/v1/options_pb.ts";
import { TokenService } from "./gen/countersign/v1/token_pb.ts";
import { file_google_rpc_error_details } from "./gen/google/rpc/error_details_pb.ts";
import { Health as HealthService } from "./gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "./gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "./gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createHealth, type Health } from "./ops/health.ts";
import type { HealthCheck } from "./ops/check-loop.ts";
import type { Log } from "./ops/logger.ts";
import { createOpsListener } from "./ops/ops-listener.ts";
import { createRedis } from "./redis/redis.ts";
import { getCurrentUserRpc } from "./rpc/auth/get-current-user.ts";
import { changePasswordRpc } from "./rpc/auth/change-password.ts";
import { listSessionsRpc } from "./rpc/auth/list-sessions.ts";
import { loginRpc } from "./rpc/auth/login.ts";
import { logoutRpc } from "./rpc/auth/logout.ts";
import { refreshRpc } from "./rpc/auth/refresh.ts";
import { revokeAllSessionsRpc } from "./rpc/auth/revoke-all-sessions.ts";
import { revokeSessionRpc } from "./rpc/auth/revoke-session.ts";
import { createGrpcHealth } from "./rpc/grpc-health/grpc-health.ts";
import { createReflection } from "./rpc/reflection/reflection.ts";
import { createRpcTable, type RpcTable, serve, type ServiceEntry } from "./rpc/router.ts";
import { getJwksRpc } from "./rpc/token/get-jwks.ts";
import { getServerMetadataRpc } from "./rpc/token/get-server-metadata.ts";
import { introspectRpc } from "./rpc/token/introspect.ts";
import { issueTokenRpc } from "./rpc/token/issue-token.ts";
import { revokeRpc } from "./rpc/token/revoke.ts";
import { bootstrapUser, type BootstrapUser } from "./start/bootstrap-user.ts";
import { buildDomain, type Domain } from "./start/build-domain.ts";
import { openStores, type Stores } from "./start/open-stores.ts";
import { openSecretKeys } from "./start/secret-keys.ts";
import { createUserParts } from "./start/user-parts.ts";
import { createPublicListener } from "./transport/public-listener.ts";

/** The running service. */
export interface Service {
  readonly port: number;
  readonly opsPort: number;
  /** The first user, where this start has made one. */
  readonly bootstrap: BootstrapUser | null;
  /** Settles with an error when the service cannot go on: its embedded database has ended. */
  readonly failed: Promise<Error>;
  /**
   * Ends the service: readiness turns false, load balancers get the time to see it, requests under way
   * are answered, then the stores are closed. Whoever asks again gets the same promise.
   */
  stop(): Promise<void>;
}

/**
 * Builds the service by hand, bottom up, and starts it.
 *
 * @param onTerminal whether a person sees what is printed
 * @throws where a port, a store or a key cannot be had; what was opened is closed again
 */
export async function startService(config: Config, log: Log, onTerminal: boolean): Promise<Service> {
  const undo: (() => Promise<void> | void)[] = [];
  const undoAll = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await start(config, log, onTerminal, undo, undoAll);
  } catch (error) {
    await undoAll();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  onTerminal: boolean,
  undo: (() => Promise<void> | void)[],
  undoAll: () => Promise<void>,
): Promise<Service> {
  const secrets = await openSecretKeys(config);
  const stores = await openStores(config, log, { joinRunning: false });
  undo.push(() => stores.close());
  const { checks, closeRedis } = createChecks(config, stores);
  undo.push(closeRedis);
  const health = createHealth({ checks, log });
  undo.push(() => health.stop());

  const parts = createUserParts(config, stores.db);
  const domain = await buildDomain(config, log, stores.db, secrets, parts);
  undo.push(() => domain.stop());
  const table = buildRpcTable(config, domain, health);
  const bootstrap = await bootstrapUser(config, parts.users, log, onTerminal);

  const ops = createOpsListener({ host: config.host, port: config.opsPort, health, log });
  const { port: opsPort } = await ops.listen();
  undo.push(() => ops.close());
  const listener = createPublicListener({ config, table, health, log });
  const { port } = await listener.listen();

  health.start();
  health.setPhase("serving");
  const stop = async (): Promise<void> => {
    health.setPhase("draining");
    log.info({ delay_ms: config.drainDelayMs }, "the service is draining");
    await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
    await listener.drain(config.drainTimeoutMs);
    await undoAll();
    log.info({}, "the service has stopped");
  };
  let stopping: Promise<void> | null = null;
  return {
    port,
    opsPort,
    bootstrap,
    failed: whenDatabaseEnds(stores),
    stop: () => (stopping ??= stop()),
  };
}

/** What readiness hangs on: without Postgres nobody can sign in; without Redis everybody can. */
function createChecks(config: Config, stores: Stores): { checks: HealthCheck[]; closeRedis: () => void } {
  const postgres = {
    name: "postgres",
    gatesReadiness: true,
    run: (signal: AbortSignal) => stores.db.ping(signal),
  };
  if (config.redisUrl === null) return { checks: [postgres], closeRedis: () => undefined };
  const redis = createRedis(config.redisUrl);
  const check = { name: "redis", gatesReadiness: false, run: () => redis.ping() };
  return { checks: [postgres, check], closeRedis: () => redis.close() };
}

/** The one table of what can be called. */
function buildRpcTable(config: Config, domain: Domain, health: Health): RpcTable {
  const { clients, sessions } = domain;
  const own = [
    serve(AuthService, {
      login: loginRpc(domain.login),
      refresh: refreshRpc(domain.refresh),
      logout: logoutRpc(clients, sessions),
      changePassword: changePasswordRpc(domain.changePassword),
      listSessions: listSessionsRpc(sessions),
      revokeSession: revokeSessionRpc(sessions),
      revokeAllSessions: revokeAllSessionsRpc(sessions),
      getCurrentUser: getCurrentUserRpc(),
    }),
    serve(TokenService, {
      issueToken: issueTokenRpc(domain),
      introspect: introspectRpc(domain.introspect, config.issuer),
      revoke: revokeRpc(domain.revoke),
      getServerMetadata: getServerMetadataRpc(config.issuer, config.restUrl),
      getJwks: getJwksRpc(domain.keys),
    }),
  ];
  return createRpcTable([...own, ...standardServices(config, own, health)], domain.authenticate);
}

/** The services of gRPC's own protocols. Anyone may call them; their protos cannot say so. */
function standardServices(config: Config, own: readonly ServiceEntry[], health: Health): ServiceEntry[] {
  const anyone = create(AccessSchema, { rule: { case: "anyone", value: true } });
  const serviceNames = own.map(({ service }) => service.typeName);
  const entries = [serve(HealthService, createGrpcHealth({ health, serviceNames }), anyone)];
  if (!config.reflection) return entries;
  const services = [
    ...own.map(({ service }) => service),
    HealthService,
    ServerReflection,
    ServerReflectionV1Alpha,
  ];
  const reflection = createReflection({ services, files: [file_google_rpc_error_details] });
  return [
    ...entries,
    serve(ServerReflection, reflection.v1, anyone),
    serve(ServerReflectionV1Alpha, reflection.v1alpha, anyone),
  ];
}

/** An embedded database that ends by itself leaves nothing to serve. */
async function whenDatabaseEnds(stores: Stores): Promise<Error> {
  const ended = stores.embedded === null ? null : await stores.embedded.ended;
  if (ended === null || ended.expected) return new Promise(() => undefined);
  return new Error("the embedded PostgreSQL has ended; see postgres.log in DATA_DIR");
}
