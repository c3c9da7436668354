import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallName, Endpoints } from "./contender.ts";
import type { Load } from "./load.ts";

/** How much is prepared before anything is measured. */
export interface Amounts {
  readonly users: number;
  readonly password: string;
  /** Sessions whose tokens are refreshed in turn. */
  readonly sessions: number;
  /** Access tokens that are introspected in turn. */
  readonly tokens: number;
}

const form = { "content-type": "application/x-www-form-urlencoded" };
const json = { "content-type": "application/json" };
/** What right answers hold. */
const hasBothTokens = /^(?=.*"access_token":"[^"]{20,}").*"refresh_token":"[^"]{20,}"/s;
const hasToken = /"(access_)?token":"[^"]{20,}"/;
const isActive = /"active":true/;
const namesUser = /"(sub|id|username)":"[^"]+"/;
const atOnce = 16;
const triesMax = 20;

/**
 * Signs users in and gets tokens, and makes of them the loads of a server that knows OAuth's endpoints.
 *
 * @param folder where the files of bodies go
 * @throws Error where the server does not answer as it should
 */
export async function prepareOAuthLoads(
  endpoints: Endpoints,
  amounts: Amounts,
  folder: string,
): Promise<Partial<Record<CallName, Load>>> {
  const { port, login, refresh, clientCredentials, introspect, me } = endpoints;
  const loads: Partial<Record<CallName, Load>> = {};
  const write = async (name: string, lines: readonly string[]): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, lines.join("\n"));
    return file;
  };
  const post = (
    path: string,
    headers: Record<string, string>,
    body: Load["body"],
    expects: RegExp,
  ): Load => ({ protocol: "http1", method: "POST", path, headers, body, expects });

  let accessToken = "";
  if (login !== undefined) {
    const headers = { ...(login.json ? json : form), ...login.headers };
    const bodies = Array.from({ length: amounts.users }, (_, index) => loginBody(login, index + 1, amounts));
    const file = await write("logins", bodies);
    const expects = login.json ? hasToken : hasBothTokens;
    loads.login = post(login.path, headers, { kind: "each", file, from: 0 }, expects);
    if (refresh !== undefined) {
      const answers = await times(amounts.sessions, (index) =>
        ask(port, login.path, headers, bodies[index % bodies.length] ?? ""),
      );
      accessToken = text(answers[0], "access_token");
      const tokens = await write("refresh-tokens", [...answers.map((one) => text(one, "refresh_token")), ""]);
      const body = { kind: "refresh", file: tokens, before: refresh.before } as const;
      loads.refresh = post(refresh.path, form, body, hasBothTokens);
    }
  }
  if (clientCredentials !== undefined) {
    const { path, body } = clientCredentials;
    const file = await write("client-credentials", [body]);
    loads.clientCredentials = post(path, form, { kind: "fixed", file }, hasToken);
    if (introspect !== undefined) {
      const answers = await times(amounts.tokens, () => ask(port, path, form, body));
      const bodies = answers.map((one) => introspect.before + text(one, "access_token"));
      const once = await write("introspections", bodies);
      const hot = await write("introspection", bodies.slice(0, 1));
      loads.introspectHot = post(introspect.path, form, { kind: "fixed", file: hot }, isActive);
      loads.introspectOnce = post(introspect.path, form, { kind: "each", file: once, from: 0 }, isActive);
    }
  }
  if (me !== undefined && accessToken !== "") {
    const headers = { authorization: `Bearer ${accessToken}` };
    loads.me = { protocol: "http1", method: "GET", path: me.path, headers, body: null, expects: namesUser };
  }
  return loads;
}

function loginBody(login: NonNullable<Endpoints["login"]>, number: number, { password }: Amounts): string {
  const username = `user-${number}`;
  if (login.json) return JSON.stringify({ email: `${username}@example.test`, username, password });
  return login.before + new URLSearchParams({ username, password }).toString();
}

async function ask(
  port: number,
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<Record<string, unknown>> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
    const received = await answer.text();
    if (answer.status === 200) return JSON.parse(received) as Record<string, unknown>;
    // A server that is asked for more hashes than it has time for says so.
    if (answer.status !== 503 || tries === triesMax) {
      throw new Error(`POST ${path} was answered ${answer.status}: ${received}`);
    }
    await sleep(Number(answer.headers.get("retry-after") ?? 1) * 1000);
  }
}

function text(answer: Record<string, unknown> | undefined, name: string): string {
  const value = answer?.[name];
  if (typeof value !== "string") throw new Error(`an answer holds no ${name}`);
  return value;
}

async function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) results.push(await make(next++));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return results;
}
