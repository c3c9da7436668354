/** A place in a trace: what `traceparent` says. */
export interface TraceParent {
  /** 32 hexadecimal digits in lower case, not all 0. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all 0. */
  readonly spanId: string;
  /** Bit 0: sampled; bit 1: the trace id is random. Others are unknown, and left out. */
  readonly flags: number;
}

const form =
  /^(?<version>[0-9a-f]{2})-(?<traceId>[0-9a-f]{32})-(?<spanId>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;
const knownFlags = 0b11;

/**
 * Reads a `traceparent` header field by W3C Trace Context, level 2, section 3.2: version 00 to the
 * letter, the beginning of a later version, and null for anything else.
 */
export function parseTraceparent(value: string): TraceParent | null {
  const { version, traceId, spanId, flags, rest } = form.exec(value)?.groups ?? {};
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & knownFlags };
}

/** Writes it as version 00. */
export function formatTraceparent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, "0")}`;
}
