import { setTimeout as sleep } from "node:timers/promises";
import type { TestService } from "../../test/_harness/service.ts";
import { createEndpoints, type Endpoint } from "./endpoints.ts";
import type { Fault } from "./fault.ts";
import { callerOf } from "./front.ts";
import { endInOrder, endMsMax } from "./instances.ts";
import { type Load, type Sample, startLoad } from "./load.ts";
import { startSessions } from "./sessions.ts";
import type { Stage } from "./stage.ts";

/** One cell of the table. */
export interface Cell {
  readonly endpoint: string;
  /** How many calls were answered by each status while the fault lasted; 0 is no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The slowest answer, in the fault and after it. */
  readonly worstMs: number;
  /** The first call after which all went well, counted from the fault's end; null where it did not get well. */
  readonly wellMs: number | null;
}

/** One row. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly healsItself: boolean;
  readonly cells: readonly Cell[];
  readonly sessionsLost: number;
  /** How long an instance took that was told to end amid the fault. */
  readonly endedMs: number;
  /** What must not be. */
  readonly violations: readonly string[];
}

/** When the span of the fault began and ended, and when watching did. */
interface Span {
  readonly from: number;
  readonly back: number;
}

const idleMs = 1_500;
const wellForMs = 2_000;
const wellWithinMs = 30_000;
const marginMs = 250;

/** Makes one fault happen under load, and looks at what is answered. @param faultMs how long it lasts */
export async function observe(fault: Fault, stage: Stage, faultMs: number): Promise<Row> {
  const { front, instances, client, user } = stage;
  const sessions = await startSessions(front, user);
  const endpoints = createEndpoints({ front, sessions, client, opsUrls: () => instances.opsUrls() });
  const spare = await instances.startSpare();
  const load = startLoad(endpoints);
  let span: Span;
  let endedMs: number;
  try {
    await untilWell(load, performance.now(), idleMs);
    const from = performance.now();
    const undo = await fault.apply(stage);
    await sleep(faultMs / 3);
    [endedMs] = await Promise.all([endUnderCalls(spare, stage), sleep((faultMs * 2) / 3)]);
    await undo();
    span = { from, back: fault.healsItself === true ? from : performance.now() };
    await untilWell(load, performance.now(), wellForMs);
  } finally {
    await load.stop();
    await spare.stop();
  }
  const cells = endpoints.map((endpoint) =>
    describeCell(endpoint.name, load.samples(endpoint), span, fault.healsItself === true ? faultMs : 0),
  );
  const sessionsLost = await sessions.countLost();
  return {
    name: fault.name,
    title: fault.title,
    healsItself: fault.healsItself === true,
    cells,
    sessionsLost,
    endedMs,
    violations: [
      ...endpoints.flatMap((endpoint) => findViolations(endpoint, load.samples(endpoint), span.from)),
      ...cells.filter(({ wellMs }) => wellMs === null).map(({ endpoint }) => `${endpoint} does not get well`),
      ...(sessionsLost === 0 ? [] : [`${sessionsLost} sessions are lost`]),
      ...(endedMs <= endMsMax ? [] : ["SIGTERM does not end a process in its time"]),
    ],
  };
}

/** Waits until all endpoints have been well for so long; no longer than half a minute. */
async function untilWell(load: Load, since: number, forMs: number): Promise<void> {
  while (performance.now() - since < wellWithinMs) {
    await sleep(100);
    if (performance.now() - since >= forMs && load.isWell(performance.now() - forMs)) return;
  }
}

/** Tells an instance to end while calls to it are under way. */
async function endUnderCalls(spare: TestService, { user }: Stage): Promise<number> {
  const call = callerOf(spare.url);
  const calls = [call("/auth/login", { form: { ...user } }), call("/.well-known/jwks.json")];
  await sleep(50);
  const ms = await endInOrder(spare);
  await Promise.all(calls);
  return ms;
}

function describeCell(endpoint: string, all: readonly Sample[], { from, back }: Span, ownMs: number): Cell {
  const samples = all.filter(({ startedAt }) => startedAt >= from).toSorted(byStart);
  const statuses: Record<string, number> = {};
  for (const { startedAt, status, isGood } of samples) {
    if (startedAt >= back + ownMs) continue;
    const key = status === 200 && !isGood ? "wrong" : String(status);
    statuses[key] = (statuses[key] ?? 0) + 1;
  }
  const lastBad = samples.findLast(({ startedAt, isGood }) => startedAt >= back && !isGood);
  const wellAgain = samples.find(({ startedAt }) => startedAt > (lastBad?.startedAt ?? 0));
  return {
    endpoint,
    statuses,
    worstMs: Math.round(Math.max(0, ...samples.map(({ ms }) => ms))),
    wellMs:
      lastBad === undefined ? 0 : wellAgain === undefined ? null : Math.round(wellAgain.startedAt - back),
  };
}

function byStart(one: Sample, other: Sample): number {
  return one.startedAt - other.startedAt;
}

function findViolations(endpoint: Endpoint, all: readonly Sample[], from: number): string[] {
  const samples = all.filter(({ startedAt }) => startedAt >= from);
  const late = samples.filter(({ ms }) => ms > endpoint.deadlineMs + marginMs);
  const wrong = samples.filter(({ isWrong }) => isWrong);
  const worst = Math.round(Math.max(0, ...late.map(({ ms }) => ms)));
  const found: string[] = [];
  if (late.length > 0) found.push(`${endpoint.name}: ${late.length} late, ${worst} ms at worst`);
  if (wrong.length > 0) {
    const statuses = [...new Set(wrong.map(({ status }) => status))].join(", ");
    found.push(`${endpoint.name}: ${wrong.length} answered wrongly, with ${statuses}`);
  }
  return found;
}
