import type { Config } from "../../config/config.ts";
import type { Log } from "../../ops/logger.ts";
import { type MetricSnapshot, sumOfEnded } from "../../ops/metrics/sum.ts";
import type { WorkerMetrics } from "../../ops/metrics/worker-metrics.ts";
import type { Commons, Remembered } from "../commons.ts";
import type { Door } from "../front.ts";
import { answerWorker } from "./answer-worker.ts";
import type { Orders } from "./calls.ts";
import { createHandOver } from "./hand-over.ts";
import { keepWorker } from "./keep-worker.ts";
import { forkWorker, type WorkerHandle } from "./worker-handle.ts";

/** The workers of a supervisor. */
export interface Crew {
  /**
   * Lets them serve: resolves when all do, and the port is open.
   *
   * @throws where one of them cannot start, or the port cannot be had
   */
  open(parts: CrewParts): Promise<Door>;
  /** How many are ready to serve now. */
  ready(): number;
  /**
   * Lets all forget a user or a client, but the one that asks; resolves when they have, or have forgotten by themselves.
   */
  forget(what: Remembered, except?: WorkerHandle): Promise<void>;
  /** Lets all say that they are not ready any more. */
  announceDrain(): void;
  /** The metrics of all, and of those that have ended. */
  readMetrics(): Promise<readonly MetricSnapshot[]>;
  /** Ends those that still run, at once. */
  stop(): Promise<void>;
}

/** What the workers work with. */
export interface CrewParts {
  readonly commons: Commons;
  readonly orders: Omit<Orders, "number" | "instances">;
  readonly metrics: WorkerMetrics;
}

/** A worker remembers nothing for longer. */
const forgottenAfterMs = 1_000;
/** Longer than a worker waits for its database. */
const startTimeoutMs = 90_000;
/** A worker whose event loop stands still for so long does not come back. */
const silentMaxMs = 30_000;
const lookMs = 1_000;

/** Starts the processes, which load what serves while the supervisor opens its stores. */
export function startCrew(config: Config, log: Log): Crew {
  const serving = new Set<WorkerHandle>();
  const running = new Set<WorkerHandle>();
  const stopping = new AbortController();
  const failed = Promise.withResolvers<Error>();
  let given: CrewParts | null = null;
  let ended: MetricSnapshot = [];
  const handOver = createHandOver(config, (error) =>
    log.warn({ err: error }, "a connection could not be accepted"),
  );

  const forget: Crew["forget"] = async (what, except) => {
    const others = [...serving].filter((worker) => worker !== except);
    const signal = AbortSignal.timeout(forgottenAfterMs);
    await Promise.allSettled(others.map(({ channel }) => channel.call("forget", what, signal)));
  };

  const fork = (): WorkerHandle => {
    const commons = (): Commons | null => given?.commons ?? null;
    const worker: WorkerHandle = forkWorker(
      answerWorker(commons, (what) => forget(what, worker)),
      { instances: () => commons()?.instances() ?? 1, onTook: () => handOver.took(worker) },
    );
    running.add(worker);
    void worker.ended.then(() => running.delete(worker));
    return worker;
  };

  /** @throws Error where it does not serve in time, or ends before */
  const letServe = async (worker: WorkerHandle, { orders, commons }: CrewParts, number: number) => {
    await orderToServe(worker, { ...orders, number, instances: commons.instances() });
    if (stopping.signal.aborted) worker.kill();
    serving.add(worker);
    handOver.add(worker);
    void worker.ended.then(async () => {
      serving.delete(worker);
      handOver.remove(worker);
      ended = await sumOfEnded([ended, worker.lastMetrics()]);
    });
    return worker;
  };

  const keep = (first: WorkerHandle, parts: CrewParts, number: number): void => {
    keepWorker(first, {
      number,
      log,
      signal: stopping.signal,
      start: () => letServe(fork(), parts, number),
      onLost: () => parts.metrics.onLost(),
      othersServe: () => serving.size,
    }).catch(failed.resolve);
  };

  const drain = async (timeoutMs: number): Promise<void> => {
    stopping.abort();
    for (const worker of running) if (!serving.has(worker)) worker.kill();
    await handOver.close();
    await Promise.all(Array.from(serving, (worker) => drainWorker(worker, timeoutMs)));
  };

  const first = Array.from({ length: config.workers }, fork);
  return {
    async open(parts) {
      given = parts;
      await Promise.all(first.map((worker, index) => letServe(worker, parts, index + 1)));
      const { port } = await handOver.listen();
      first.forEach((worker, index) => keep(worker, parts, index + 1));
      setInterval(() => killSilent(serving, log), lookMs).unref();
      return { port, failed: failed.promise, drain };
    },
    ready: () => Array.from(serving).filter((worker) => worker.report()?.ready === true).length,
    forget,
    announceDrain() {
      for (const { channel } of serving) void channel.call("announceDrain", null).catch(() => undefined);
    },
    async readMetrics() {
      return [ended, ...(await Promise.all(Array.from(serving, (worker) => worker.readMetrics())))];
    },
    async stop() {
      stopping.abort();
      for (const worker of running) worker.kill();
      await Promise.all(Array.from(running, (worker) => worker.ended));
    },
  };
}

/** Resolves when it takes connections. @throws Error where it does not in time; it is ended then */
async function orderToServe(worker: WorkerHandle, orders: Orders): Promise<void> {
  const tooEarly = worker.ended.then((how) => Promise.reject(new Error(`it ended (${how})`)));
  try {
    const served = worker.channel.call("serve", orders, AbortSignal.timeout(startTimeoutMs));
    await Promise.race([served, tooEarly]);
  } catch (error) {
    worker.kill();
    throw error;
  } finally {
    tooEarly.catch(() => undefined);
  }
}

async function drainWorker({ channel, ended }: WorkerHandle, timeoutMs: number): Promise<void> {
  await channel.call("drain", { timeoutMs }).catch(() => undefined);
  await ended;
}

function killSilent(workers: ReadonlySet<WorkerHandle>, log: Log): void {
  for (const worker of workers) {
    if (worker.silentMs() <= silentMaxMs) continue;
    log.error({ pid: worker.pid }, "a worker does not answer; it is ended");
    worker.kill();
  }
}
