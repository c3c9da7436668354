import type { ProcessTree } from "../processes.ts";
import { checkAnswer } from "./answer.ts";
import { type CallName, calls, type Contender } from "./contender.ts";
import type { Counts, Load, Send } from "./load.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** What a contender did with a call. */
export interface Figures {
  readonly call: CallName;
  readonly contender: string;
  readonly kind: Contender["kind"];
  readonly perSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** Processor time of one request, by part: service, hashing, PostgreSQL, Redis. Microseconds. */
  readonly processorUs: Readonly<Record<string, Spread>>;
  readonly requests: number;
  /** Requests without a right answer. Where there are any, the figures are worth nothing. */
  readonly errors: number;
}

/** How it is measured. */
export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
}

interface Sample {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly processorUs: Record<string, number>;
  readonly requests: number;
  errors: number;
}

/**
 * Measures one call: the contenders take turns, round by round, after one round that warms up. Before the first and
 * after the last an answer of each is read, and the bytes of all must be as many as right answers have.
 *
 * @throws Error where an answer is wrong before the first round; after the last it makes the figures invalid
 */
export async function measureCall(
  call: CallName,
  contenders: readonly Contender[],
  stores: readonly ProcessTree[],
  { rounds, seconds }: Rounds,
  send: Send,
): Promise<Figures[]> {
  const able = contenders.flatMap((contender) => {
    const load = contender.loads[call];
    return load === undefined ? [] : [{ contender, load, samples: [] as Sample[], sent: 0, bodyBytes: 0 }];
  });
  for (const one of able) one.bodyBytes = await checkAnswer(one.contender.port, one.load);
  for (let round = 0; round <= rounds; round += 1) {
    for (const one of able) {
      const trees = [one.contender.processes, ...stores];
      const load = continueAt(one.load, one.sent);
      const sample = await measureOnce(one, trees, (port) =>
        send(port, load, round === 0 ? Math.min(2, seconds) : seconds),
      );
      one.sent += sample.requests;
      if (round > 0) one.samples.push(sample);
    }
  }
  for (const { contender, load, samples } of able) {
    const problem = await checkAnswer(contender.port, load).then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
    if (problem === null) continue;
    process.stderr.write(`${contender.name}, ${call}: ${problem}\n`);
    for (const sample of samples) sample.errors = sample.requests;
  }
  return able.map(({ contender, samples }) => summarise(call, contender, samples));
}

/** Bodies that are sent once each go on where the last round ended. */
function continueAt(load: Load, sent: number): Load {
  return load.body?.kind === "each" ? { ...load, body: { ...load.body, from: sent } } : load;
}

async function measureOnce(
  { contender, bodyBytes }: { contender: Contender; bodyBytes: number },
  trees: readonly ProcessTree[],
  send: (port: number) => Promise<Counts>,
): Promise<Sample> {
  const before = readProcessor(trees);
  const counts = await send(contender.port);
  const after = readProcessor(trees);
  // An answer of a few bytes under a good status is an error too; sizes differ by some bytes from answer to answer.
  const errors = counts.bytes < counts.requests * bodyBytes * 0.95 ? counts.requests : counts.errors;
  const perRequest = (part: string) => (((after[part] ?? 0) - (before[part] ?? 0)) * 1000) / counts.requests;
  return {
    perSecond: (counts.requests - errors) / counts.seconds,
    p50Ms: counts.p50Ms,
    p99Ms: counts.p99Ms,
    processorUs: Object.fromEntries(Object.keys(after).map((part) => [part, perRequest(part)])),
    requests: counts.requests,
    errors,
  };
}

/** The processor time of each part, over all trees. Milliseconds. */
export function readProcessor(trees: readonly ProcessTree[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const tree of trees) {
    for (const [part, ms] of Object.entries(tree.readProcessorMs())) sums[part] = (sums[part] ?? 0) + ms;
  }
  return sums;
}

function summarise(call: CallName, { name, kind }: Contender, samples: readonly Sample[]): Figures {
  const spread = (read: (sample: Sample) => number): Spread => spreadOf(samples.map(read));
  const total = (read: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + read(sample), 0);
  const parts = [...new Set(samples.flatMap(({ processorUs }) => Object.keys(processorUs)))];
  return {
    call,
    contender: name,
    kind,
    perSecond: spread((sample) => sample.perSecond),
    p50Ms: spread((sample) => sample.p50Ms),
    p99Ms: spread((sample) => sample.p99Ms),
    processorUs: Object.fromEntries(
      parts.map((part) => [part, spread(({ processorUs }) => processorUs[part] ?? 0)]),
    ),
    requests: total(({ requests }) => requests),
    errors: total(({ errors }) => errors),
  };
}

/** The names of all calls. */
export const callNames = Object.keys(calls) as CallName[];
