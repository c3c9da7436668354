import type { DescService } from "@bufbuild/protobuf";
import type { Dictionary } from "./bodies.ts";
import {
  createHttp1Peer,
  createHttp2Peer,
  type Fate,
  type Http1Peer,
  type Http2Peer,
  sendBroken,
} from "./connections.ts";
import { createRandom, type Random } from "./random.ts";
import { createRequests, type FuzzRequest } from "./requests.ts";
import { writeBrokenHttp1, writeBrokenHttp2, writeHttp1 } from "./wire.ts";

/** What is fuzzed. */
export interface Target {
  readonly port: number;
  /** What the grammar is made of. */
  readonly services: readonly DescService[];
  /** Values that are good, made anew every so often. */
  words(): Promise<Dictionary>;
  /** Whether it still runs. */
  isAlive(): boolean;
}

/** How much is sent, and what. */
export interface CampaignOptions {
  readonly seed: number;
  /** The number of the first request; those of a seed are the same every time, but for tokens. */
  readonly from: number;
  readonly requests: number;
  /** How many are under way at once. */
  readonly workers: number;
  /** Ends it early, when what is under way has ended. */
  readonly signal?: AbortSignal;
  /** Told of each request that ends, with how many have. */
  onDone?(done: number): void;
}

/** What became of the requests. */
export interface CampaignResult {
  readonly fates: Readonly<Record<Fate, number>>;
  /** The numbers of requests that nothing came of. */
  readonly hung: readonly number[];
  readonly crashed: boolean;
}

const wordsLifetime = 5_000;

/** Sends requests by the grammar, good and broken, over HTTP/1.1 and HTTP/2. */
export async function runCampaign(target: Target, options: CampaignOptions): Promise<CampaignResult> {
  const fates: Record<Fate, number> = { answered: 0, closed: 0, open: 0, unsent: 0, hung: 0 };
  const hung: number[] = [];
  const makeRequest = createRequests(target.services);
  const end = options.from + options.requests;
  let words = await target.words();
  let next = options.from;
  let done = 0;
  const work = async (): Promise<void> => {
    const http1 = createHttp1Peer(target.port);
    const http2 = createHttp2Peer(target.port);
    while (next < end && target.isAlive() && options.signal?.aborted !== true) {
      const index = next;
      next += 1;
      if (index % wordsLifetime === wordsLifetime - 1) words = await target.words().catch(() => words);
      const random = createRandom(options.seed, index);
      const request = tagged(makeRequest(random, words), index);
      const fate = await deliver(random, request, target.port, http1, http2);
      fates[fate] += 1;
      if (fate === "hung") hung.push(index);
      done += 1;
      options.onDone?.(done);
    }
    http1.close();
    http2.close();
  };
  await Promise.all(Array.from({ length: options.workers }, work));
  return { fates, hung, crashed: !target.isAlive() };
}

/** The request's number goes with it, so that a line of the log can be told to belong to it. */
function tagged(request: FuzzRequest, index: number): FuzzRequest {
  return { ...request, fields: [["x-request-id", `fuzz-${index}`], ...request.fields] };
}

async function deliver(
  random: Random,
  request: FuzzRequest,
  port: number,
  http1: Http1Peer,
  http2: Http2Peer,
): Promise<Fate> {
  const kind = random.below(100);
  try {
    if (kind < 45) return await http1.send(writeHttp1(request), request.method);
    if (kind < 80) return await http2.send(request);
    const fin = random.chance(0.9);
    if (kind < 92) return await sendBroken(port, writeBrokenHttp1(random, request), fin, false);
    return await sendBroken(port, writeBrokenHttp2(random, request), random.chance(0.3), true);
  } catch {
    // The connection was refused or ended before anything was sent.
    return "closed";
  }
}
