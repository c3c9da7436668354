import type { Config } from "../config/config.ts";
import { chooseApart } from "../hashing/choose-apart.ts";
import { type HashingProcess, startHashingProcess } from "../hashing/hashing-process.ts";
import type { Log } from "../ops/logger.ts";

/**
 * Starts the process that hashes passwords, by the implementation that is usually the fastest, and logs how it fares.
 *
 * @param onLost told when it has ended by itself
 * @throws Error where it does not start
 */
export function startHashing(config: Config, log: Log, onLost: () => void): Promise<HashingProcess> {
  const { concurrency, niceness } = config.hashing;
  return startHashingProcess(
    { threads: concurrency, niceness },
    {
      onLost(how) {
        log.error({ how }, "the process that hashes passwords has ended; it is started again");
        onLost();
      },
      onRestarted: () => log.info({}, "the process that hashes passwords runs again"),
    },
  );
}

/**
 * Measures which implementation is the fastest here, goes over to it, and logs the choice. It takes a core for some tenths
 * of a second, so that a start does not wait for it. Where nothing can be chosen, the implementation stays as it is.
 *
 * @param signal ends it
 */
export async function chooseHashing(
  config: Config,
  log: Log,
  hashing: Pick<HashingProcess, "use" | "implementation" | "scheduling">,
  signal: AbortSignal,
): Promise<void> {
  const { concurrency } = config.hashing;
  try {
    const { implementation, trials, unsound } = await chooseApart(config.argon2, concurrency, signal);
    if (implementation !== hashing.implementation) await hashing.use(implementation);
    log.info(
      { implementation, trials, concurrency, scheduling: hashing.scheduling },
      "chose the fastest correct implementation of Argon2id",
    );
    if (unsound.length > 0) {
      log.warn({ unsound }, "an implementation of Argon2id fails its self-test; it is not used");
    }
  } catch (error) {
    if (signal.aborted) return;
    const { implementation } = hashing;
    log.warn({ err: error, implementation }, "no implementation of Argon2id could be chosen; this one stays");
  }
}
