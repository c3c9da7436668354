import type { Registry } from "prom-client";
import { createAuditService } from "../api/audit/service.ts";
import { createAuthService } from "../api/auth/service.ts";
import { createClientService } from "../api/clients/service.ts";
import { createCookieAuth } from "../api/guards/cookies/cookie-auth.ts";
import type { CookieAuth } from "../api/guards/cookies.ts";
import { createGuards } from "../api/guards/guards.ts";
import { createKeyService } from "../api/keys/service.ts";
import { createFewStreams } from "../api/reading/few-streams.ts";
import { createRpcTable, type RpcTable, type ServiceEntry } from "../api/router.ts";
import { createRoleService } from "../api/roles/service.ts";
import { createStandardServices } from "../api/standard/services.ts";
import { createTokenService } from "../api/token/service.ts";
import { createUserService } from "../api/users/service.ts";
import type { Config } from "../config/config.ts";
import type { Arrivals, Listener } from "../http/connection/listener.ts";
import { createPublicListener } from "../http/public-listener.ts";
import { wholeSeconds } from "../lib/whole-seconds.ts";
import { descriptorsForConnections } from "../ops/descriptors.ts";
import type { Health } from "../ops/health.ts";
import type { Log } from "../ops/logger.ts";
import { createMemoryGuard } from "../ops/memory-guard.ts";
import { createConnectionMetrics } from "../ops/metrics/connection-metrics.ts";
import { createPeerMetrics } from "../ops/metrics/peer-metrics.ts";
import { createRequestMetrics } from "../ops/metrics/request-metrics.ts";
import { createClock } from "../postgres/clock.ts";
import { createSite } from "../web/site.ts";
import type { Ending } from "./ending.ts";
import type { Ground } from "./ground.ts";
import { buildUseCases, type UseCases } from "./use-cases.ts";

/** What the public port is built on. */
export interface PortParts {
  readonly config: Config;
  readonly log: Log;
  readonly registry: Registry;
  readonly health: Health;
  readonly ground: Ground;
  readonly ending: Ending;
  /** Where connections come from, for a process that has no port of its own; null for one that has. */
  readonly arrivals: Arrivals | null;
}

/** Connections to PostgreSQL beside the pool's: the probe's, and one for each kind of work that stands still. */
const connectionsBeside = 6;

/** Builds everything that callers reach, on the nouns. It does not listen yet. */
export function buildPublicPort(parts: PortParts): Listener {
  const { config, health, ground } = parts;
  const { core, keys, clock, db, events } = ground;
  const useCases = buildUseCases(config, core, {
    keys,
    clock: { estimate: () => clock.now(), read: createClock(db) },
    events,
  });
  const guards = createGuards({
    authenticate: useCases.authenticate,
    administrate: useCases.administrate,
    hasher: core.hasher,
    devices: core.devices,
    limits: core.throttle,
    audit: core.audit,
    cookieAuth: buildCookieAuth(config),
  });
  const table = createRpcTable(buildServices(config, useCases, health), guards);
  return buildListener(parts, table);
}

/** The listener, and what watches that its callers leave the process enough memory. */
function buildListener(
  { config, log, registry, health, ending, arrivals }: PortParts,
  table: RpcTable,
): Listener {
  const peerMetrics = createPeerMetrics(registry);
  const memory = createMemoryGuard({
    hashingBytes: config.hashing.concurrency * config.argon2.memoryKib * 1024,
    processes: config.workers,
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
    arrivals,
  });
  memory.start();
  ending.push("the memory guard", () => memory.stop());
  return listener;
}

/** Everything that can be called. */
function buildServices(config: Config, useCases: UseCases, health: Health): ServiceEntry[] {
  const { issuer, restUrl, reflection } = config;
  const streams = { streams: createFewStreams(), streamIdleMs: config.streamIdleTimeoutMs };
  const own = [
    createAuthService(useCases),
    createTokenService({ ...useCases, issuer, restUrl }),
    createAuditService({ ...useCases, ...streams }),
    createClientService(useCases),
    createKeyService(useCases),
    createRoleService(useCases),
    createUserService({ ...useCases, ...streams }),
  ];
  const idleMs = config.streamIdleTimeoutMs;
  return [...own, ...createStandardServices(own, health, reflection ? { idleMs } : null)];
}

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
