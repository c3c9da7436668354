import type { Config } from "../config/config.ts";
import { createLogger, type Log } from "../ops/logger.ts";
import { type Service, startService } from "../server.ts";
import { readConfig } from "../start/read-config.ts";
import type { ExitCode } from "./command.ts";
import { explainListenError } from "./explain-listen-error.ts";
import { readVersion } from "../start/read-version.ts";
import { startScreen } from "./start-screen.ts";

/**
 * Runs the service until a signal ends it, or until it cannot go on.
 *
 * @throws Error with a sentence where it does not start
 */
export async function runService(): Promise<ExitCode> {
  const config = readConfig();
  const onTerminal = process.stdout.isTTY === true;
  const log = createLogger(config.logLevel, onTerminal);
  let waitsFor = (): string => "the start";
  const mustEnd = (): void => endInTime(config, log, () => waitsFor());
  const signal = firstSignal(log, onTerminal, mustEnd);
  const service = await start(config, log, onTerminal);
  waitsFor = () => service.waitsFor();
  await announce(config, service, log, onTerminal);
  return untilEnd(service, signal, log, mustEnd);
}

async function start(config: Config, log: Log, onTerminal: boolean): Promise<Service> {
  try {
    return await startService(config, log, onTerminal);
  } catch (error) {
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
  process.stdout.write(startScreen(config, service, await readVersion()));
  await service.bootstrap?.forgetPassword();
}

/** How much longer than what it waits for by its configuration the end of the process may take. */
const endMarginMs = 5_000;

/**
 * Ends the process when the time of an end in order is over, whatever hangs, and says what did. The rest of the end
 * takes milliseconds, unless a store is stuck: then each write has DATABASE_TIMEOUT.
 */
function endInTime(config: Config, log: Log, waitsFor: () => string): void {
  const limitMs = config.drainDelayMs + config.drainTimeoutMs + config.database.timeoutMs + endMarginMs;
  // Nothing but what hangs keeps the process alive until then.
  setTimeout(() => {
    log.error(
      { waits_for: waitsFor(), open: process.getActiveResourcesInfo(), limit_ms: limitMs },
      "the service did not end in time: it is ended now",
    );
    process.exit(1);
  }, limitMs).unref();
}

/** Resolves at the first signal that asks for the end; a second one ends the process at once. */
function firstSignal(log: Log, onTerminal: boolean, onFirst: () => void): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (name: NodeJS.Signals, number: number): void => {
      if (seen) process.exit(128 + number);
      seen = true;
      log.info({ signal: name }, "a signal asks the service to stop");
      onFirst();
      resolve();
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
    // A closed terminal window. Without a terminal it is left alone, since nohup has it ignored.
    if (onTerminal) process.on("SIGHUP", onSignal);
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
    log.error({ err: failure }, "the service cannot go on");
    onFailure();
  }
  await service.stop();
  return failure === undefined ? 0 : 1;
}
