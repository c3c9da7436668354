/** A whole answer, whatever protocol it is in. */
export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Sent after the body (gRPC's status). */
  readonly trailers?: Readonly<Record<string, string>>;
}

/** Header fields as a plain object, for Node. */
export function headersToObject(headers: Headers): Record<string, string> {
  return Object.fromEntries(headers);
}
