import { readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { percentile } from "../figures.ts";
import { readRefreshToken } from "./answer.ts";
import type { Contender } from "./contender.ts";
import type { Load, Send } from "./load.ts";
import type { Rounds } from "./measure.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** What refreshes take while 64 callers sign in at once, and while nobody does. */
export interface LoginStormFigures {
  readonly contender: string;
  readonly kind: Contender["kind"];
  readonly idleP99Ms: Spread;
  readonly stormP99Ms: Spread;
  readonly loginsPerSecond: Spread;
  /** Logins that were refused because too many waited: a server may do so. */
  readonly refusedLogins: number;
  /** Refreshes without a right answer. */
  readonly errors: number;
}

const callers = 64;
/** A refresh begins so long after the one before was answered. */
const pauseMs = 10;

/** Measures each server that knows both calls, in turn, round by round. */
export async function measureLoginStorms(
  contenders: readonly Contender[],
  rounds: Rounds,
  send: Send,
): Promise<LoginStormFigures[]> {
  const all = contenders.flatMap(({ name, kind, port, loads: { login, refresh } }) =>
    login === undefined || refresh === undefined
      ? []
      : [{ name, kind, port, login, refresh, idle: [0], storm: [0], logins: [0], refused: 0, errors: 0 }],
  );
  for (const one of all) one.idle = one.storm = one.logins = [];
  for (let round = 0; round < rounds.rounds; round += 1) {
    for (const one of all) {
      const idle = await probe(one.port, one.refresh, rounds.seconds);
      const [storm, logins] = await Promise.all([
        probe(one.port, one.refresh, rounds.seconds),
        send(one.port, patient(one.login), rounds.seconds, callers),
      ]);
      one.idle = [...one.idle, percentile(idle.times, 0.99)];
      one.storm = [...one.storm, percentile(storm.times, 0.99)];
      one.logins = [...one.logins, (logins.requests - logins.errors) / logins.seconds];
      one.refused += logins.errors;
      one.errors += idle.errors + storm.errors;
    }
  }
  return all.map((one) => ({
    contender: one.name,
    kind: one.kind,
    idleP99Ms: spreadOf(one.idle),
    stormP99Ms: spreadOf(one.storm),
    loginsPerSecond: spreadOf(one.logins),
    refusedLogins: one.refused,
    errors: one.errors,
  }));
}

/** Callers that come back when they are told to: those that do not are what throttles and peers' limits are for. */
function patient(load: Load): Load {
  return load.body?.kind === "each" ? { ...load, body: { ...load.body, waits: true } } : load;
}

/** Refreshes one session after the other over one connection. */
async function probe(
  port: number,
  load: Load,
  seconds: number,
): Promise<{ times: number[]; errors: number }> {
  if (load.body?.kind !== "refresh") throw new Error("this is no load of refreshes");
  const { file, before } = load.body;
  const tokens = (await readFile(file, "utf8")).split("\n").filter(Boolean);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let errors = 0;
  const endAt = performance.now() + seconds * 1000;
  try {
    while (performance.now() < endAt) {
      const startedAt = performance.now();
      const token = readRefreshToken(await post(agent, port, load, before + (tokens.shift() ?? "")));
      times.push(performance.now() - startedAt);
      if (token === "") errors += 1;
      else tokens.push(token);
      await sleep(pauseMs);
    }
  } finally {
    agent.destroy();
  }
  await writeFile(file, [...tokens, ""].join("\n"));
  return { times, errors };
}

function post(agent: Agent, port: number, { path, headers }: Load, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const sent = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        path,
        method: "POST",
        headers: { ...headers, "content-length": length },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => resolve(Buffer.concat(chunks).toString()));
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
