import { median } from "../figures.ts";
import { type CallName, calls, type Contender } from "./contender.ts";
import { type Load, sendLoad } from "./load.ts";
import type { ProcessTree } from "./processes.ts";

/** The least, the middle and the most of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

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
  readonly errors: number;
}

/** Measures one call: the contenders take turns, round by round, after one round that warms up. */
export async function measureCall(
  call: CallName,
  contenders: readonly Contender[],
  stores: readonly ProcessTree[],
  { rounds, seconds }: Rounds,
): Promise<Figures[]> {
  const able = contenders.flatMap((contender) => {
    const load = contender.loads[call];
    return load === undefined ? [] : [{ contender, load, samples: [] as Sample[], sent: 0 }];
  });
  for (let round = 0; round <= rounds; round += 1) {
    for (const one of able) {
      const trees = [one.contender.processes, ...stores];
      const load = continueAt(one.load, one.sent);
      const sample = await measureOnce(one.contender.port, load, trees, round === 0 ? 2 : seconds);
      one.sent += sample.requests;
      if (round > 0) one.samples.push(sample);
    }
  }
  return able.map(({ contender, samples }) => summarise(call, contender, samples));
}

/** Bodies that are sent once each go on where the last round ended. */
function continueAt(load: Load, sent: number): Load {
  return load.body?.kind === "each" ? { ...load, body: { ...load.body, from: sent } } : load;
}

async function measureOnce(
  port: number,
  load: Load,
  trees: readonly ProcessTree[],
  seconds: number,
): Promise<Sample> {
  const readAll = (): Record<string, number> =>
    Object.fromEntries(trees.flatMap((tree) => Object.entries(tree.readProcessorMs())));
  const before = readAll();
  const counts = await sendLoad(port, load, seconds);
  const after = readAll();
  const perRequest = (part: string) => (((after[part] ?? 0) - (before[part] ?? 0)) * 1000) / counts.requests;
  return {
    perSecond: (counts.requests - counts.errors) / counts.seconds,
    p50Ms: counts.p50Ms,
    p99Ms: counts.p99Ms,
    processorUs: Object.fromEntries(Object.keys(after).map((part) => [part, perRequest(part)])),
    requests: counts.requests,
    errors: counts.errors,
  };
}

function summarise(call: CallName, { name, kind }: Contender, samples: readonly Sample[]): Figures {
  const spread = (read: (sample: Sample) => number): Spread => {
    const values = samples.map(read);
    return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  };
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
