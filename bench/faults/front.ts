import { type Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";

/** An answer, or that there was none. */
export interface Answer {
  /** 0 where nothing answered. */
  readonly status: number;
  readonly ms: number;
  /** The body as JSON; empty where it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** What is sent. A form is a POST. */
export interface Ask {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks an address; never rejects. */
export type Caller = (path: string, ask?: Ask) => Promise<Answer>;

/** Longer than any deadline of the service. */
const patienceMs = 25_000;

/** Calls through nginx, which has a certificate of its own making, over connections that are kept. */
export function createFront(port: number): { readonly call: Caller; readonly close: () => void } {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  return { call: callerOf(`https://127.0.0.1:${port}`, agent), close: () => agent.destroy() };
}

/** Calls a plain address, over a connection of its own each time, as a probe does. */
export function callerOf(origin: string, agent?: Agent): Caller {
  return async (path, { form, headers = {} } = {}) => {
    const startedAt = performance.now();
    const sent = form === undefined ? null : new URLSearchParams(form).toString();
    const answer = await exchange(new URL(path, origin), sent, headers, agent).catch(() => ({
      status: 0,
      body: "",
    }));
    return { status: answer.status, ms: performance.now() - startedAt, json: parse(answer.body) };
  };
}

function exchange(
  url: URL,
  body: string | null,
  headers: Readonly<Record<string, string>>,
  agent: PlainAgent | undefined,
): Promise<{ readonly status: number; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const send = url.protocol === "https:" ? request : plainRequest;
  const options = {
    agent: agent ?? false,
    method: body === null ? "GET" : "POST",
    headers: {
      ...headers,
      ...(body === null ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    },
    signal: AbortSignal.timeout(patienceMs),
  };
  const call = send(url, options, (response) => {
    text(response).then((all) => resolve({ status: response.statusCode ?? 0, body: all }), reject);
  });
  call.once("error", reject).end(body ?? undefined);
  return promise;
}

function parse(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}
