import type { Config } from "../config/config.ts";
import type { Argon2Report } from "../hashing/choose-argon2.ts";
import { type HashingProcess, startHashingProcess } from "../hashing/hashing-process.ts";
import type { Log } from "../ops/logger.ts";

/**
 * Starts the process that hashes passwords, and logs which implementation it has chosen and how it fares.
 *
 * @param choice of the implementation
 * @param onLost told when it has ended by itself
 * @throws Error where it does not start
 */
export async function startHashing(
  config: Config,
  log: Log,
  choice: Promise<Argon2Report>,
  onLost: () => void,
): Promise<HashingProcess> {
  const { concurrency, niceness } = config.hashing;
  const options = { threads: concurrency, niceness, argon2: await choice };
  const hashing = await startHashingProcess(options, {
    onLost(how) {
      log.error({ how }, "the process that hashes passwords has ended; it is started again");
      onLost();
    },
    onRestarted: () => log.info({}, "the process that hashes passwords runs again"),
  });
  const { implementation, trials, unsound } = hashing.argon2;
  log.info(
    { implementation, trials, concurrency, scheduling: hashing.scheduling },
    "chose the fastest correct implementation of Argon2id",
  );
  if (unsound.length > 0) {
    log.warn({ unsound }, "an implementation of Argon2id fails its self-test; it is not used");
  }
  return hashing;
}
