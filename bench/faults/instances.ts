import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/_harness/ports.ts";
import { type ServiceOptions, startService, type TestService } from "../../test/_harness/service.ts";

/** The two instances that nginx knows. */
export interface Instances {
  readonly ports: readonly [number, number];
  /** One of them; the last that ran there, where none does now. */
  at(index: 0 | 1): TestService;
  opsUrls(): readonly string[];
  /** Ends one by SIGKILL. */
  kill(index: 0 | 1): Promise<void>;
  /** Starts one anew in the place of one that has ended. */
  restart(index: 0 | 1): Promise<void>;
  /** Starts one more, which nginx does not know. */
  startSpare(): Promise<TestService>;
  /** Ends them in order; how long that took at most. */
  stop(): Promise<number>;
}

/** Their `iss`, and the audience of tokens. */
export const issuer = "https://localhost";
/** When a process that was told to end has to be gone: DRAIN_TIMEOUT, DATABASE_TIMEOUT and 5 s. */
export const endMsMax = 15_000;

/** Starts them, one after the other: the first makes the tables. */
export async function startInstances(options: ServiceOptions): Promise<Instances> {
  const ports = [await freePort(), await freePort()] as const;
  const start = (port: number) =>
    startService({
      ...options,
      env: {
        ISSUER: issuer,
        TRUSTED_PROXIES: "127.0.0.1",
        MAX_SESSIONS_PER_USER: "10000",
        DRAIN_TIMEOUT: "5s",
        // The production's.
        ARGON2_MEMORY_KIB: "",
        ARGON2_ITERATIONS: "",
        ...options.env,
        PORT: String(port),
      },
    });
  const members: [TestService, TestService] = [await start(ports[0]), await start(ports[1])];
  return {
    ports,
    at: (index) => members[index],
    opsUrls: () => members.map(({ opsUrl }) => opsUrl),
    async kill(index) {
      await members[index].end("SIGKILL");
    },
    async restart(index) {
      await members[index].stop();
      members[index] = await start(ports[index]);
    },
    startSpare: async () => start(await freePort()),
    async stop() {
      const times = await Promise.all(members.map((member) => endInOrder(member)));
      await Promise.all(members.map((member) => member.stop()));
      return Math.max(...times);
    },
  };
}

/** Ends one by SIGTERM; how long it took. One that does not end is killed, a second after its time. */
export async function endInOrder(service: TestService): Promise<number> {
  const startedAt = performance.now();
  const timer = new AbortController();
  const ended = service.end("SIGTERM").then(() => true);
  const late = sleep(endMsMax + 1_000, false, { signal: timer.signal }).catch(() => false);
  if (!(await Promise.race([ended, late]))) process.kill(service.pid, "SIGKILL");
  timer.abort();
  return performance.now() - startedAt;
}
