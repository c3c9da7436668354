import { create } from "@bufbuild/protobuf";
import type { Registry } from "prom-client";
import type { Interceptor } from "@connectrpc/connect";
import type { Config } from "../config/config.ts";
import { losesCookies } from "../config/lost-cookies.ts";
import { createSite } from "../web/site.ts";
import { AuditService } from "../gen/countersign/v1/audit_pb.ts";
import { createSecretKeys } from "../domain/key/secret-keys.ts";
import { AuthService } from "../gen/countersign/v1/auth_pb.ts";
import { AccessSchema } from "../gen/countersign/v1/options_pb.ts";
import { TokenService } from "../gen/countersign/v1/token_pb.ts";
import { file_google_rpc_error_details } from "../gen/google/rpc/error_details_pb.ts";
import { Health as HealthService } from "../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionV1Alpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { createHealth, type Health } from "../ops/health.ts";
import { descriptorsForConnections } from "../ops/descriptors.ts";
import type { Log } from "../ops/logger.ts";
import { createMemoryGuard } from "../ops/memory-guard.ts";
import { createAuditMetrics } from "../ops/metrics/audit-metrics.ts";
import { createBuildMetrics } from "../ops/metrics/build-metrics.ts";
import { createClockMetrics } from "../ops/metrics/clock-metrics.ts";
import { createConnectionMetrics } from "../ops/metrics/connection-metrics.ts";
import { createHealthMetrics } from "../ops/metrics/health-metrics.ts";
import { createHashingMetrics } from "../ops/metrics/hashing-metrics.ts";
import { createMetrics, type Metrics } from "../ops/metrics/metrics.ts";
import { createPeerMetrics } from "../ops/metrics/peer-metrics.ts";
import { createPostgresMetrics } from "../ops/metrics/postgres-metrics.ts";
import { createRequestMetrics } from "../ops/metrics/request-metrics.ts";
import { createSessionMetrics } from "../ops/metrics/session-metrics.ts";
import { createSigningKeyMetrics } from "../ops/metrics/signing-key-metrics.ts";
import { createOpsListener } from "../ops/ops-listener.ts";
import { createStoreClock } from "../ops/store-clock.ts";
import { readClockMs } from "../postgres/clock.ts";
import { listAuditEventsRpc } from "../api/audit/list-audit-events.ts";
import { getCurrentUserRpc } from "../api/auth/get-current-user.ts";
import { changePasswordRpc } from "../api/auth/change-password.ts";
import { listSessionsRpc } from "../api/auth/list-sessions.ts";
import { loginRpc } from "../api/auth/login.ts";
import { logoutRpc } from "../api/auth/logout.ts";
import { refreshRpc } from "../api/auth/refresh.ts";
import { revokeAllSessionsRpc } from "../api/auth/revoke-all-sessions.ts";
import { revokeSessionRpc } from "../api/auth/revoke-session.ts";
import { createCookieAuth } from "../api/guards/cookies/cookie-auth.ts";
import { createGrpcHealth } from "../api/standard/grpc-health/grpc-health.ts";
import { admit } from "../api/guards/admit.ts";
import type { CookieAuth } from "../api/guards/cookies.ts";
import { createReflection } from "../api/standard/reflection/reflection.ts";
import { throttle } from "../api/guards/throttle.ts";
import { createRpcTable, type RpcTable, serve, type ServiceEntry } from "../api/router.ts";
import { getJwksRpc } from "../api/token/get-jwks.ts";
import { getServerMetadataRpc } from "../api/token/get-server-metadata.ts";
import { introspectRpc } from "../api/token/introspect.ts";
import { issueTokenRpc } from "../api/token/issue-token.ts";
import { revokeRpc } from "../api/token/revoke.ts";
import { bootstrapUser, type BootstrapUser } from "./bootstrap-user.ts";
import { buildDomain, type Domain } from "./build-domain.ts";
import { buildThrottle } from "./build-throttle.ts";
import { createEnding, type Ending } from "./ending.ts";
import { createHealthChecks, type HealthChecks } from "./health-checks.ts";
import { openRedisParts } from "./open-redis.ts";
import { openStores, type Stores } from "./open-stores.ts";
import { readVersion } from "./read-version.ts";
import { logHashing, startHashing } from "./start-hashing.ts";
import { openSecretKeys } from "./secret-keys.ts";
import { startAudit } from "./start-audit.ts";
import { createUserParts } from "./user-parts.ts";
import type { Listener } from "../http/connection/listener.ts";
import { createPublicListener } from "../http/public-listener.ts";

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
  /** What `stop` waits for now. */
  waitsFor(): string;
}

/** Connections to PostgreSQL beside the pool's: the probe's, and one for each kind of work that stands still. */
const connectionsBeside = 6;

/**
 * Builds the service by hand, bottom up, and starts it.
 *
 * @param onTerminal whether a person sees what is printed
 * @param signal ends the wait for the database
 * @throws where a port, a store or a key cannot be had; what was opened is closed again
 */
export async function startService(
  config: Config,
  log: Log,
  onTerminal: boolean,
  signal: AbortSignal,
): Promise<Service> {
  if (losesCookies(config)) log.warn({ issuer: config.issuer }, cookiesAreLost);
  const ending = createEnding();
  try {
    return await start(config, log, onTerminal, signal, ending);
  } catch (error) {
    await ending.run();
    throw error;
  }
}

async function start(
  config: Config,
  log: Log,
  onTerminal: boolean,
  signal: AbortSignal,
  ending: Ending,
): Promise<Service> {
  const metrics = createMetrics();
  const { registry } = metrics;
  createBuildMetrics(registry).tell({ version: await readVersion(), commit: config.buildCommit });
  const { checks, health, opsPort } = await openOps(config, log, metrics, ending);
  const hashingMetrics = logHashing(log, createHashingMetrics(registry));
  // It chooses its implementation while the stores open.
  const hashingStart = startHashing(config, log, () => hashingMetrics.onLost());
  // Awaited below; a store that fails first must not leave its failure to nobody.
  hashingStart.catch(() => undefined);
  ending.push("the hashing process", async () => (await hashingStart.catch(() => null))?.stop());
  const secrets = await openSecretKeys(config);
  const stores = await openStores(config, log, {
    joinRunning: false,
    observer: createPostgresMetrics(registry),
    signal,
    onOpened: (db) => checks.onDatabase(db),
  });
  checks.onSchema();
  ending.push("the database", () => stores.close());
  const redis = await openRedisParts(config, log, registry);
  ending.push("Redis", () => redis.close());
  checks.onRedis(redis);
  const clock = createStoreClock(() => readClockMs(stores.db));
  await clock.measure();
  createClockMetrics(registry, clock);
  checks.onClock(clock);

  const audit = await startAudit(stores.db, log, createAuditMetrics(registry), config.auditRetentionMs);
  ending.push("the audit trail", () => audit.stop());
  const parts = createUserParts(config, stores.db, audit, await hashingStart, hashingMetrics.observer);
  hashingMetrics.watch(parts.queue);
  const secretKeys = createSecretKeys(secrets);
  const limits = buildThrottle(config, log, registry, stores.db, secretKeys, redis.throttles);
  ending.push("the limits", () => limits.stop());
  const domain = await buildDomain(config, log, {
    db: stores.db,
    redis: redis.sessions,
    secretKeys,
    users: parts,
    audit,
    throttle: limits.throttle,
    storeNow: () => clock.now(),
    sessionObserver: createSessionMetrics(registry),
  });
  ending.push("the sessions", () => domain.stop());
  createSigningKeyMetrics(registry).watch(domain.keys);
  const table = buildRpcTable(config, domain, health, [
    admit(parts.hasher, domain.devices),
    throttle(limits.throttle, domain.devices, audit),
  ]);
  const bootstrap = await bootstrapUser(config, parts, log, onTerminal);

  const listener = buildPublicListener(config, log, registry, { table, health, ending });
  const { port } = await listener.listen();
  health.setPhase("serving");
  let waitingFor = "nothing";
  const stop = async (): Promise<void> => {
    health.setPhase("draining");
    log.info({ delay_ms: config.drainDelayMs }, "the service is draining");
    waitingFor = "DRAIN_DELAY";
    await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
    waitingFor = "requests under way";
    await listener.drain(config.drainTimeoutMs);
    await ending.run();
    log.info({}, "the service has stopped");
  };
  let stopping: Promise<void> | null = null;
  return {
    port,
    opsPort,
    bootstrap,
    failed: whenDatabaseEnds(stores),
    stop: () => (stopping ??= stop()),
    waitsFor: () => ending.current ?? waitingFor,
  };
}

/** Health and the private port, first of all: who watches a start is told what it waits for. */
async function openOps(
  config: Config,
  log: Log,
  metrics: Metrics,
  ending: Ending,
): Promise<{ checks: HealthChecks; health: Health; opsPort: number }> {
  const checks = createHealthChecks(config);
  const health = createHealth({ checks: checks.checks, log });
  ending.push("the health checks", () => health.stop());
  createHealthMetrics(metrics.registry).watch(health);
  const ops = createOpsListener({ host: config.opsHost, port: config.opsPort, health, metrics, log });
  const { port } = await ops.listen();
  ending.push("the private listener", () => ops.close());
  health.start();
  return { checks, health, opsPort: port };
}

/** The public port, and what watches that its callers leave the process enough memory. */
function buildPublicListener(
  config: Config,
  log: Log,
  registry: Registry,
  { table, health, ending }: { table: RpcTable; health: Health; ending: Ending },
): Listener {
  const peerMetrics = createPeerMetrics(registry);
  const memory = createMemoryGuard({
    hashingBytes: config.hashing.concurrency * config.argon2.memoryKib * 1024,
    onCritical: () => listener.shed(),
  });
  peerMetrics.watchMemory(memory);
  const listener = createPublicListener({
    config,
    table,
    site: createSite(config),
    health,
    log,
    requestMetrics: createRequestMetrics(registry),
    connectionMetrics: createConnectionMetrics(registry),
    peerMetrics,
    isMemoryScarce: () => memory.isScarce(),
    descriptorsMax: descriptorsForConnections(config.database.poolMax + connectionsBeside),
  });
  memory.start();
  ending.push("the memory guard", () => memory.stop());
  return listener;
}

/** The one table of what can be called. */
function buildRpcTable(config: Config, domain: Domain, health: Health, limits: Interceptor[]): RpcTable {
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
    serve(AuditService, { listAuditEvents: listAuditEventsRpc(domain.auditTrail) }),
  ];
  const entries = [...own, ...standardServices(config, own, health)];
  return createRpcTable(entries, domain.authenticate, limits, buildCookieAuth(config));
}

const cookiesAreLost =
  "the issuer is plain http and not localhost: browsers drop the cookies that they are given, and nobody stays signed in. Serve https and set ISSUER to it, or set AUTH_COOKIES=off";

/** Null where browsers get no cookies. */
function buildCookieAuth(config: Config): CookieAuth | null {
  const { issuer, corsOrigins, authModeHeader: modeHeader } = config;
  if (!config.authCookies || corsOrigins === "*") return null;
  const maxAges = {
    session: wholeSeconds(config.sessionIdleTtlMs),
    device: wholeSeconds(config.deviceTokenTtlMs),
  };
  return createCookieAuth({ issuer, origins: corsOrigins, modeHeader, maxAges });
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
  const reflection = createReflection({
    services,
    files: [file_google_rpc_error_details],
    idleMs: config.streamIdleTimeoutMs,
  });
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
