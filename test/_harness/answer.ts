import { decodeJwt } from "jose";

/** The tokens that a login or a refresh answers with. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
}

/** How a call ended, whatever protocol it went by. */
export interface Answer {
  /** The HTTP status; null over gRPC. */
  readonly status: number | null;
  /** Null for a success. */
  readonly reason: string | null;
  /** The fields that a failure names. */
  readonly fields: readonly string[];
  /** The message under proto names, without unset members. Empty for a failure. */
  readonly message: Readonly<Record<string, unknown>>;
  /** Null where the message holds none. */
  readonly tokens: Tokens | null;
}

/** The tokens of a message. */
export function tokensIn(message: Answer["message"]): Tokens | null {
  return message["refresh_token"] === undefined ? null : (message as unknown as Tokens);
}

/** The tokens of an answer that must hold some. */
export function requireTokens({ status, reason, tokens }: Answer): Tokens {
  if (tokens === null) throw new Error(`The answer holds no tokens: ${status} ${reason}`);
  return tokens;
}

/** Whether an answer has this status, or came by a protocol that has none. */
export function hasStatus(answer: Answer, status: number): boolean {
  return answer.status === null || answer.status === status;
}

/** The `sid` of an access token. */
export function sessionIdOf({ access_token }: Pick<Tokens, "access_token">): string {
  return String(decodeJwt(access_token)["sid"]);
}

/** What a refresh token is made of, read without the code that makes it. */
export function readRefreshToken(token: string): { readonly handle: Buffer; readonly generation: bigint } {
  const bytes = Buffer.from(token.slice("csr_".length), "base64url");
  return { handle: bytes.subarray(5, 21), generation: bytes.readBigUInt64BE(21) };
}
