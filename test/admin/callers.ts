import { randomBytes } from "node:crypto";
import * as given from "../_harness/given.ts";
import { bearerOf, type RestAnswer, send } from "../_harness/rest.ts";

/** Makes requests with one access token. */
export type AdminCaller = (
  method: string,
  path: string,
  body?: object,
  contentType?: string,
) => Promise<RestAnswer>;

/** The requests of whoever holds a token. */
export function callerWith(url: string, token: string): AdminCaller {
  return (method, path, body, contentType = "application/json") =>
    send(url + path, {
      method,
      headers: { ...bearerOf(token), "content-type": contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

/** A name that nothing else has. */
export function newName(what: string): string {
  return `${what}-${randomBytes(6).toString("hex")}`;
}

/** A new user with roles, and the user's requests. */
export async function signInWith(
  service: { readonly url: string; readonly databaseUrl: string },
  ...roles: string[]
): Promise<{
  readonly id: string;
  readonly username: string;
  readonly token: string;
  readonly call: AdminCaller;
}> {
  const { id, username, password } = await given.user(service, { roles });
  const { access_token: token } = await given.session(service, { user: { username, password } });
  return { id, username, token, call: callerWith(service.url, token) };
}
