import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import type { UniversalClientFn } from "@connectrpc/connect/protocol";
import { explainConnection } from "./explain-connection.ts";

const headerBytesMax = 65_536;

/**
 * Sends the requests of the Connect library over HTTP/1.1. Nothing is followed: a token is sent to no other address than the
 * one that was given. What is no answer of this service is an Error with a sentence.
 *
 * @param ca certificates (PEM) to verify the service with, in place of the system's; null for those
 */
export function createHttpClient(ca: string | null): UniversalClientFn {
  const connection = ca === null ? {} : { ca };
  return async ({ url, method, header, body, signal }) => {
    const { protocol, origin } = new URL(url);
    const options = {
      method,
      headers: Object.fromEntries(header.entries()),
      maxHeaderSize: headerBytesMax,
      ...(signal === undefined ? {} : { signal }),
    };
    const request =
      protocol === "https:" ? https.request(url, { ...options, ...connection }) : http.request(url, options);
    try {
      const answered = once(request, "response");
      for await (const chunk of body ?? []) request.write(chunk);
      request.end();
      const [answer] = (await answered) as [http.IncomingMessage];
      refuseOthers(answer, origin);
      return {
        status: answer.statusCode ?? 0,
        header: toHeaders(answer.headersDistinct),
        body: answer,
        trailer: new Headers(),
      };
    } catch (error) {
      request.destroy();
      throw signal?.aborted === true ? error : explainConnection(error, origin);
    }
  };
}

/** Refuses what no RPC is answered with. @throws Error */
function refuseOthers({ statusCode = 0, headers }: http.IncomingMessage, origin: string): void {
  if (statusCode >= 300 && statusCode < 400) {
    throw new Error(
      `The server ${origin} redirects to ${headers.location ?? "another address"}. Nothing was sent there: give the service's own address.`,
    );
  }
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "none";
  if (/^application\/(?:connect\+)?(?:proto|json)$/.test(type)) return;
  throw new Error(
    `The server ${origin} is no Countersign, or something in between answers for it: status ${statusCode}, content type ${type}.`,
  );
}

function toHeaders(distinct: NodeJS.Dict<string[]>): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(distinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}
