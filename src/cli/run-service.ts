import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { createLogger, createSharedLogger, type Log } from "../ops/logger.ts";
import type { Service } from "../app/service.ts";
import { examineStart, requireGood } from "../app/read-config.ts";
import type { ExitCode } from "./command.ts";
import { explainListenError } from "./explain-listen-error.ts";
import { readVersion } from "../app/read-version.ts";
import { printText } from "./output.ts";
import { startScreen } from "./start-screen.ts";

/**
 * Runs the service until a signal ends it, or until it cannot go on.
 *
 * @throws Error with a sentence if it does not start
 */
export async function runService(): Promise<ExitCode> {
  const examined = examineStart();
  const config = requireGood(examined);
  const onTerminal = process.stdout.isTTY === true;
  const create = config.workers === 1 ? createLogger : createSharedLogger;
  const log = create(config.logLevel, onTerminal);
  for (const { name, meant } of examined.oddNames) {
    log.warn(
      { variable: name, meant },
      "an unknown environment variable resembles a known one; it is ignored",
    );
  }
  let waitsFor = (): string => "the start";
  const mustEnd = (): void => endInTime(config, log, () => waitsFor());
  const signal = firstSignal(log, mustEnd);
  if (config.production) keepInspectorShut(log);
  const service = await start(config, log, onTerminal, signal);
  if (service === null) {
    log.info({}, "the service was stopped before it was ready");
    process.exit(0);
  }
  waitsFor = () => service.waitsFor();
  await announce(config, service, log, onTerminal);
  return untilEnd(service, signal, log, mustEnd);
}

/** How long a cancelled start may take to close what it has opened. */
const abandonAfterMs = 2_000;

/** @returns null if the signal came first: there is nothing to drain */
async function start(
  config: Config,
  log: Log,
  onTerminal: boolean,
  signal: Promise<void>,
): Promise<Service | null> {
  const { startService } = await import("../app/service.ts");
  const ending = new AbortController();
  const abandoned = signal.then(async () => {
    ending.abort();
    await sleep(abandonAfterMs, undefined, { ref: false });
    return null;
  });
  try {
    return await Promise.race([startService(config, log, onTerminal, ending.signal), abandoned]);
  } catch (error) {
    if (ending.signal.aborted) return null;
    throw explainListenError(error, config);
  }
}

async function announce(config: Config, service: Service, log: Log, onTerminal: boolean): Promise<void> {
  if (!onTerminal) {
    log.info(
      { port: service.port, ops_port: service.opsPort, issuer: config.issuer },
      "the service is ready",
    );
    return;
  }
  printText(startScreen(config, service, await readVersion()));
  await service.bootstrap?.forgetPassword();
}

/** How much longer than the configured waits the shutdown may take. */
const endMarginMs = 5_000;

/**
 * Ends the process when the time for an orderly shutdown is over, and logs what it was waiting for. The rest of the
 * shutdown takes milliseconds, unless a store is stuck: then each write has DATABASE_TIMEOUT.
 */
function endInTime(config: Config, log: Log, waitsFor: () => string): void {
  const limitMs = config.drainDelayMs + config.drainTimeoutMs + config.database.timeoutMs + endMarginMs;
  // The timer itself does not keep the process alive.
  setTimeout(() => {
    log.error(
      { waits_for: waitsFor(), open: process.getActiveResourcesInfo(), limit_ms: limitMs },
      "the service did not stop in time; it is ended now",
    );
    process.exit(1);
  }, limitMs).unref();
}

/**
 * Resolves at the first signal that asks the service to stop; a second one ends the process at once. A second SIGHUP
 * does not: a terminal that closes sends it more than once. SIGHUP also counts without a terminal, since Node undoes
 * `nohup` and would otherwise end the process without a drain.
 */
function firstSignal(log: Log, onFirst: () => void): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (name: NodeJS.Signals, number: number): void => {
      if (seen && name === "SIGHUP") return;
      if (seen) process.exit(128 + number);
      seen = true;
      log.info({ signal: name }, "a signal asks the service to stop");
      onFirst();
      resolve();
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal).on("SIGHUP", onSignal);
  });
}

/** At SIGUSR1 Node would open its inspector, through which other users of the machine could run code here. */
function keepInspectorShut(log: Log): void {
  process.on("SIGUSR1", () => {
    log.warn(
      { signal: "SIGUSR1" },
      "ignored a signal that would open the inspector; it stays closed in production",
    );
  });
}

async function untilEnd(
  service: Service,
  signal: Promise<void>,
  log: Log,
  onFailure: () => void,
): Promise<ExitCode> {
  const failure = await Promise.race([signal, service.failed]);
  if (failure !== undefined) {
    log.error({ err: failure }, "the service failed and will end");
    onFailure();
  }
  await service.stop();
  return failure === undefined ? 0 : 1;
}
