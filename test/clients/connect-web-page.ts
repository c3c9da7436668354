import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";

// What a page of another origin does, with the library for browsers. It runs in Chromium.

declare const document: { readonly cookie: string };

/** How a page calls the service. */
export type Protocol = "Connect" | "gRPC-Web";

/** A sign-in that failed, as the library tells it. */
export interface Refusal {
  readonly code: number;
  readonly reason: string | undefined;
  readonly requestId: string | null;
}

/** What a page can see of a life by cookies. */
export interface CookieLife {
  /** Of each answer in turn: whether it held a refresh token. */
  readonly refreshTokens: readonly boolean[];
  /** The cookies that a script can read. */
  readonly readable: readonly string[];
  readonly username: string;
  /** What a refresh after the logout is answered. */
  readonly afterwards: Refusal | null;
}

/** The calls of the page, as the test makes them. */
export interface Page {
  signIn(protocol: Protocol, url: string, username: string, password: string): Promise<string | Refusal>;
  liveByCookies(protocol: Protocol, url: string, username: string, password: string): Promise<CookieLife>;
}

function transportOf(protocol: Protocol, baseUrl: string): Transport {
  const create = protocol === "Connect" ? createConnectTransport : createGrpcWebTransport;
  const withCookies: typeof fetch = (input, init) => fetch(input, { ...init, credentials: "include" });
  return create({ baseUrl, fetch: withCookies });
}

function refusalOf(error: unknown): Refusal {
  const failure = ConnectError.from(error);
  return {
    code: failure.code,
    reason: failure.findDetails(ErrorInfoSchema)[0]?.reason,
    requestId: failure.metadata.get("x-request-id"),
  };
}

const page: Page = {
  async signIn(protocol, url, username, password) {
    const auth = createClient(AuthService, transportOf(protocol, url));
    try {
      const { accessToken } = await auth.login({ username, password });
      const headers = { authorization: `Bearer ${accessToken}` };
      return (await auth.getCurrentUser({}, { headers })).username;
    } catch (error) {
      return refusalOf(error);
    }
  },

  async liveByCookies(protocol, url, username, password) {
    const auth = createClient(AuthService, transportOf(protocol, url));
    const options = { headers: { "x-auth-mode": "cookie" } };
    const login = await auth.login({ username, password }, options);
    const readable = document.cookie === "" ? [] : document.cookie.split("; ");
    const refresh = await auth.refresh({}, options);
    const headers = { authorization: `Bearer ${refresh.accessToken}` };
    const user = await auth.getCurrentUser({}, { headers });
    await auth.logout({}, options);
    const afterwards = await auth.refresh({}, options).then(() => null, refusalOf);
    return {
      refreshTokens: [login, refresh].map(({ refreshToken }) => (refreshToken ?? "") !== ""),
      readable,
      username: user.username,
      afterwards,
    };
  },
};

Object.assign(globalThis, { page });
