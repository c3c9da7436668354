import { fork } from "node:child_process";
import type { Socket } from "node:net";
import { endOf } from "../../hashing/fork-apart.ts";
import type { MetricSnapshot } from "../../ops/metrics/sum.ts";
import type { SupervisorCalls, WorkerCalls, WorkerReport } from "./calls.ts";
import { type Answers, type Channel, openChannel } from "./channel.ts";
import type { Taker } from "./hand-over.ts";
import { createWire } from "./wire.ts";

/** One worker, from its start to its end. */
export interface WorkerHandle extends Taker {
  readonly pid: number;
  readonly channel: Channel<WorkerCalls>;
  /** Resolves when it has ended, with how in words. */
  readonly ended: Promise<string>;
  /** What it last said of itself; null for nothing yet, or for too long. */
  report(): WorkerReport | null;
  /** How long it has said nothing. Milliseconds. */
  silentMs(): number;
  /** Its metrics now; as they were last where it does not answer in time. */
  readMetrics(): Promise<MetricSnapshot>;
  /** Its metrics, as they were last read. */
  lastMetrics(): MetricSnapshot;
  /** Ends it at once. */
  kill(): void;
}

/** A report counts for as long as three of them take to come. */
const reportAgeMaxMs = 3_000;
const metricsTimeoutMs = 1_000;

/**
 * Starts a worker: the program that runs here, with another command. It loads what serves, and waits for its orders.
 *
 * @param answers to what it asks
 * @param supervisor `onTook` is called when it has taken the connection that was handed to it
 */
export function forkWorker(
  answers: Omit<Answers<SupervisorCalls>, "report">,
  supervisor: { instances(): number; onTook(): void },
): WorkerHandle {
  const child = fork(process.argv[1] ?? "", ["worker"], { serialization: "advanced" });
  const wire = createWire(child);
  let report: WorkerReport | null = null;
  let heardAt = performance.now();
  let metrics: MetricSnapshot = [];
  const channel = openChannel<WorkerCalls, SupervisorCalls>(wire, {
    ...answers,
    report(said) {
      report = said;
      heardAt = performance.now();
      return supervisor.instances();
    },
  });
  const ended = endOf(child).then((how) => {
    channel.close();
    return how;
  });
  const silentMs = (): number => performance.now() - heardAt;
  wire.receive((message) => {
    const { kind, connections } = message as { readonly kind: string; readonly connections: number };
    if (kind !== "took") return;
    if (report !== null) report = { ...report, connections };
    supervisor.onTook();
  });
  return {
    pid: child.pid ?? -1,
    channel,
    ended,
    report: () => (silentMs() > reportAgeMaxMs ? null : report),
    silentMs,
    connections: () => report?.connections ?? 0,
    hand: (socket: Socket) => wire.hand({ kind: "connection" }, socket),
    async readMetrics() {
      const signal = AbortSignal.timeout(metricsTimeoutMs);
      metrics = await channel.call("readMetrics", null, signal).catch(() => metrics);
      return metrics;
    },
    lastMetrics: () => metrics,
    kill: () => child.kill("SIGKILL"),
  };
}
