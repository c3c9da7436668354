import { loadConfig } from "../config/config.ts";
import { createLogger, type Log } from "../ops/logger.ts";
import { type Service, startService } from "../server.ts";
import type { Command, ExitCode } from "./command.ts";
import { startScreen } from "./start-screen.ts";

/** `countersign serve`: runs the service until a signal ends it. */
export const serveCommand: Command = {
  usage: "serve",
  summary: "run the service",
  options: {},
  operandCount: 0,
  run: serve,
};

async function serve(): Promise<ExitCode> {
  const config = loadConfig();
  const onTerminal = process.stdout.isTTY === true;
  const log = createLogger(config.logLevel, onTerminal);
  const signal = firstSignal(log);
  const service = await startService(config, log, onTerminal);
  if (onTerminal) process.stdout.write(startScreen(config, service));
  else
    log.info(
      { port: service.port, ops_port: service.opsPort, issuer: config.issuer },
      "the service is ready",
    );
  return untilEnd(service, signal, log);
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function firstSignal(log: Log): Promise<void> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (name: NodeJS.Signals): void => {
      if (seen) process.exit(name === "SIGINT" ? 130 : 143);
      seen = true;
      log.info({ signal: name }, "a signal asks the service to stop");
      resolve();
    };
    process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  });
}

async function untilEnd(service: Service, signal: Promise<void>, log: Log): Promise<ExitCode> {
  const failure = await Promise.race([signal, service.failed]);
  if (failure !== undefined) log.error({ err: failure }, "the service cannot go on");
  await service.stop();
  return failure === undefined ? 0 : 1;
}
