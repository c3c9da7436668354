import type { JsonObject } from "@bufbuild/protobuf";
import { type Answer, tokensIn } from "./answer.ts";

/** A REST answer, read whole. */
export interface RestAnswer extends Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; empty where it is none. */
  readonly json: JsonObject;
}

/** Sends a request over HTTP/1.1. Rejects where nothing answers. */
export async function send(url: string, init: RequestInit = {}): Promise<RestAnswer> {
  const answer = await fetch(url, init);
  const { status, headers } = answer;
  const text = await answer.text();
  const isJson = /^application\/(problem\+)?json$/.test(headers.get("content-type") ?? "");
  const json = isJson && text !== "" ? (JSON.parse(text) as JsonObject) : {};
  const { reason, fields } = status < 300 ? { reason: null, fields: [] } : readFailure(json);
  const message = reason === null ? withoutNulls(json) : {};
  return { status, headers, text, json, reason, fields, message, tokens: tokensIn(message) };
}

function readFailure(json: JsonObject): { readonly reason: string; readonly fields: readonly string[] } {
  const { reason = "", errors = [] } = json as { reason?: string; errors?: { field: string }[] };
  return { reason, fields: errors.map(({ field }) => field) };
}

function withoutNulls(json: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([, member]) => member !== null));
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

/** The Authorization header of an access token. */
export function bearerOf(accessToken: string): { readonly authorization: string } {
  return { authorization: `Bearer ${accessToken}` };
}
