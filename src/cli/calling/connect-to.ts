import { readFile } from "node:fs/promises";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import { AppError } from "../../errors/app-error.ts";
import { codeOf } from "../../lib/files.ts";
import type { AccessTokens } from "./access-tokens.ts";
import { readFailure } from "./failures.ts";
import { createHttpClient } from "./http-client.ts";

/** A service, and how it is reached. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly server: string;
  /** A file of certificates (PEM) to verify it with; null for the system's. */
  readonly caFile: string | null;
}

const answerBytesMax = 16 * 1024 * 1024;
const requestBytesMax = 1024 * 1024;
const timeoutMs = 60_000;

/**
 * The way to a service: the Connect protocol, which every proxy passes on. Failures are AppErrors with the service's words, or
 * Errors with a sentence.
 *
 * @param tokens null to call without one
 */
export async function connectTo(
  { server, caFile }: ServerAddress,
  tokens: AccessTokens | null,
): Promise<Transport> {
  const transport = createTransport({
    baseUrl: server,
    httpClient: createHttpClient(caFile === null ? null : await readCertificates(caFile)),
    useBinaryFormat: true,
    interceptors: tokens === null ? [] : [sendToken(tokens)],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 0,
    readMaxBytes: answerBytesMax,
    writeMaxBytes: requestBytesMax,
    defaultTimeoutMs: timeoutMs,
  });
  return withFailuresRead(transport);
}

/** The library wraps whatever is thrown within it. */
function withFailuresRead(transport: Transport): Transport {
  return {
    unary: (...call) => transport.unary(...call).catch(throwRead),
    stream: (...call) => transport.stream(...call).catch(throwRead),
  };
}

function throwRead(error: unknown): never {
  throw readFailure(error);
}

/** A call that is refused for its token is made once more with another, where there is one: clocks differ. */
function sendToken(tokens: AccessTokens): Interceptor {
  return (next) => async (request) => {
    const token = await tokens.current();
    request.header.set("authorization", `Bearer ${token}`);
    try {
      return await next(request);
    } catch (error) {
      const failure = readFailure(error);
      if (!(failure instanceof AppError) || failure.reason !== "invalid_token") throw failure;
      const other = await tokens.renew(token);
      if (other === null) throw failure;
      request.header.set("authorization", `Bearer ${other}`);
      return next(request);
    }
  };
}

async function readCertificates(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new Error(`${path} cannot be read: ${String(codeOf(error))}.`, { cause: error });
  });
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Error(`${path} holds no certificate (PEM).`);
}
