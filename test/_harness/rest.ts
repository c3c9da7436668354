import type { JsonObject } from "@bufbuild/protobuf";

/** A REST answer, read whole. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; empty where it is none. */
  readonly json: JsonObject;
}

/** Sends a request over HTTP/1.1. */
export async function send(url: string, init: RequestInit = {}): Promise<RestAnswer> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  const isJson = /^application\/(problem\+)?json$/.test(answer.headers.get("content-type") ?? "");
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    json: isJson && text !== "" ? (JSON.parse(text) as JsonObject) : {},
  };
}

/** Sends a form. */
export function sendForm(
  url: string,
  body: string | URLSearchParams | Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  return send(url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: typeof body === "string" ? body : new URLSearchParams(body).toString(),
  });
}

/** Sends JSON; a text as it is. */
export function sendJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> {
  return send(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The value of an Authorization header: HTTP Basic with this pair. */
export function basic(pair: string): { readonly authorization: string } {
  return { authorization: `Basic ${btoa(pair)}` };
}
