import type { JsonObject } from "@bufbuild/protobuf";
import { type Answer, tokensIn } from "./answer.ts";
import { bearerOf, type RestAnswer, send, sendForm, sendJson } from "./rest.ts";

/** A call of one RPC. */
export interface ApiCall {
  /** The RPC's name: `Login`. */
  readonly rpc: string;
  /** The request's fields under their proto names. */
  readonly input?: JsonObject;
  /** An access token. */
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A login, and where it comes from. */
export interface LoginAttempt {
  readonly username: string;
  /** A wrong one where left out. */
  readonly password?: string;
  /** Where it comes from, for a service that trusts loopback as a proxy. */
  readonly address?: string;
  readonly deviceToken?: string;
  readonly rememberDevice?: boolean;
}

/** Fields of a request beside those that a call names. */
export type Fields = Readonly<Record<string, string>>;

/** A way in: the RPCs by one protocol. Each call rejects where nothing answers. */
export interface Way<A extends Answer = Answer> {
  call(call: ApiCall): Promise<A>;
  login(attempt: LoginAttempt, more?: Fields): Promise<A>;
  refresh(refreshToken: string, more?: Fields): Promise<A>;
  /** Signs out with a refresh token. */
  logout(refreshToken: string): Promise<A>;
  /** Asks for the user of an access token. */
  me(accessToken: string): Promise<A>;
}

/** The ways in that a test of an RPC goes by. `createCallers` knows all of them, for tests of protocols. */
export const wayNames = ["REST with a form", "REST with JSON", "gRPC"] as const;
/** One of them. */
export type WayName = (typeof wayNames)[number];

/** A service as its callers see it. */
export interface Api {
  /** REST with forms, over HTTP/1.1. */
  readonly rest: Way<RestAnswer>;
  /** REST with JSON, over HTTP/1.1. */
  readonly json: Way<RestAnswer>;
  readonly grpc: Way;
  /** The same by name. */
  readonly ways: Readonly<Record<WayName, Way>>;
  /** Closes what gRPC has opened. */
  close(): void;
}

/**
 * Calls a service as a program of its users does: `api(service).rest.login(user)`.
 *
 * @param service or the address of its public port
 */
export function api(service: string | { readonly url: string }): Api {
  const url = typeof service === "string" ? service : service.url;
  const rest = overRest(url, (path, fields, headers) => sendForm(url + path, fields as Fields, headers));
  const json = overRest(url, (path, fields, headers) => sendJson(url + path, fields, headers));
  const { grpc, close } = overGrpc(url);
  return { rest, json, grpc, ways: { "REST with a form": rest, "REST with JSON": json, gRPC: grpc }, close };
}

type Post = (path: string, fields: JsonObject, headers?: Fields) => Promise<RestAnswer>;

function overRest(url: string, post: Post): Way<RestAnswer> {
  return {
    async call({ rpc, input = {}, bearer, headers }) {
      const { restCallOf, rpcOf } = await import("./rest-call.ts");
      const { method, path, rest } = restCallOf(rpcOf(rpc), input);
      const all = { ...(bearer === undefined ? {} : bearerOf(bearer)), ...headers };
      return rest === null ? send(url + path, { method, headers: all }) : post(path, rest, all);
    },
    login: (attempt, more) => post("/auth/login", loginFields(attempt, more), originOf(attempt)),
    refresh: (token, more) => post("/auth/refresh", { refresh_token: token, ...more }),
    logout: (token) => post("/auth/logout", { refresh_token: token }),
    me: (token) => send(`${url}/auth/me`, { headers: bearerOf(token) }),
  };
}

/** Its client's packages take long to load: the first call does that. */
function overGrpc(url: string): { readonly grpc: Way; close(): void } {
  const load = async () => (await import("./callers.ts")).createCaller(url, "gRPC");
  let loading: ReturnType<typeof load> | null = null;
  const call = async ({ rpc, input = {}, bearer, headers }: ApiCall): Promise<Answer> => {
    loading ??= load();
    const all = { ...(bearer === undefined ? {} : bearerOf(bearer)), ...headers };
    const { message, failure } = await (await loading).call({ rpc, input, headers: all });
    return {
      status: null,
      reason: failure?.reason ?? null,
      fields: failure?.fields.map(({ field }) => field) ?? [],
      message: message ?? {},
      tokens: tokensIn(message ?? {}),
    };
  };
  const grpc: Way = {
    call,
    login: (attempt, more) =>
      call({ rpc: "Login", input: loginFields(attempt, more), headers: originOf(attempt) }),
    refresh: (token, more) => call({ rpc: "Refresh", input: { refresh_token: token, ...more } }),
    logout: (token) => call({ rpc: "Logout", input: { refresh_token: token } }),
    me: (token) => call({ rpc: "GetCurrentUser", bearer: token }),
  };
  return { grpc, close: () => void loading?.then((caller) => caller.close()) };
}

function loginFields(attempt: LoginAttempt, more: Fields = {}): JsonObject {
  const { username, password = "wrong", deviceToken, rememberDevice } = attempt;
  return {
    username,
    password,
    ...(deviceToken === undefined ? {} : { device_token: deviceToken }),
    ...(rememberDevice === undefined ? {} : { remember_device: rememberDevice }),
    ...more,
  };
}

function originOf({ address }: LoginAttempt): Fields {
  return address === undefined ? {} : { "x-forwarded-for": address };
}
