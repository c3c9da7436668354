import type { JsonValue } from "@bufbuild/protobuf";
import { negotiateProblemType } from "./accept.ts";

/** A problem (RFC 9457 section 3.1) with whatever extension members the service adds. */
export interface ProblemDetail {
  /** An absolute address that names the kind of problem; `about:blank` when the status says it all. */
  readonly type: string;
  /** A summary that is equal for every problem of the type. */
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  /** What is wrong this time. */
  readonly detail: string;
  /** Extension members (section 3.2); those that are undefined are left out. */
  readonly [member: string]: JsonValue | undefined;
}

/** A response body and its media type. */
export interface RenderedProblem {
  readonly contentType: "application/problem+json" | "application/json";
  /** JSON in UTF-8, the members in the order in which they were given. */
  readonly body: Uint8Array;
}

/** Writes a problem as JSON, under the media type that the caller's Accept header asks for. */
export function renderProblem(problem: ProblemDetail, accept: string | undefined): RenderedProblem {
  return {
    contentType: negotiateProblemType(accept),
    body: new TextEncoder().encode(JSON.stringify(problem)),
  };
}
