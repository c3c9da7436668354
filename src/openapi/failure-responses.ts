import type { JsonObject } from "@bufbuild/protobuf";
import { type Reason, reasons, type ReasonSpec } from "../errors/reasons.ts";
import { exampleAddress } from "../web/example-address.ts";
import type { FailureNote } from "./read-comment.ts";

/** The responses that an operation fails with, by status, and what they refer to. */
export interface FailureResponses {
  /**
   * @param failures the reasons that the operation itself names
   * @param isOauthEndpoint whether the statuses are those of RFC 6749 section 5.2
   */
  responsesOf(failures: readonly FailureNote[], isOauthEndpoint: boolean): JsonObject;
  /** The components that have been referred to. */
  components(): { readonly examples: JsonObject; readonly responses: JsonObject };
}

/** The reasons for which any request can fail, before it reaches its operation or in any operation. */
const everywhere = [
  "malformed_request",
  "method_not_allowed",
  "not_acceptable",
  "request_timeout",
  "payload_too_large",
  "uri_too_long",
  "unsupported_media_type",
  "headers_too_large",
  "unavailable",
  "deadline_exceeded",
] as const satisfies readonly Reason[];

const problemReference = { $ref: "#/components/schemas/ProblemDetail" };

/** @returns responses that follow from the registry of reasons: no status is repeated here */
export function createFailureResponses(): FailureResponses {
  const examples = new Map<string, JsonObject>();

  const response = (
    failures: readonly FailureNote[],
    isOauthEndpoint: boolean,
    description = failures.map(describe).join("\n"),
  ): JsonObject => {
    const media = { schema: problemReference, examples: exampleReferences(failures, isOauthEndpoint) };
    // OAuth clients take plain JSON, and get it first (RFC 6749 section 5.2).
    const types = ["application/problem+json", "application/json"];
    const ordered = isOauthEndpoint ? types.toReversed() : types;
    return {
      description,
      ...headersOf(failures, isOauthEndpoint),
      content: Object.fromEntries(ordered.map((type) => [type, media])),
    };
  };

  const exampleReferences = (failures: readonly FailureNote[], isOauthEndpoint: boolean): JsonObject => {
    const references = failures.map(({ reason }) => {
      const spec: ReasonSpec = reasons[reason];
      const status = isOauthEndpoint ? spec.oauthStatus : spec.status;
      const name = status === spec.status ? reason : `oauth_${reason}`;
      examples.set(name, { summary: spec.title, value: problemExample(reason, spec, status) });
      return [reason, { $ref: `#/components/examples/${name}` }] as const;
    });
    return Object.fromEntries(references);
  };

  const noNote = (reason: Reason): FailureNote => ({ reason, note: null });
  const shared = {
    NotFound: response([noNote("not_found")], false),
    InternalError: response([noNote("internal")], false),
    Failure: response(
      everywhere.map(noNote),
      false,
      `Any other failure, whatever the operation: ${everywhere.map((reason) => `\`${reason}\``).join(", ")}.`,
    ),
  };

  return {
    responsesOf(failures, isOauthEndpoint) {
      const byStatus = Map.groupBy(failures, ({ reason }) =>
        String(isOauthEndpoint ? reasons[reason].oauthStatus : reasons[reason].status),
      );
      return {
        "404": { $ref: "#/components/responses/NotFound" },
        "500": { $ref: "#/components/responses/InternalError" },
        ...Object.fromEntries(
          [...byStatus].map(([status, group]) => [status, response(group, isOauthEndpoint)]),
        ),
        default: { $ref: "#/components/responses/Failure" },
      };
    },
    components: () => ({
      examples: Object.fromEntries([...examples].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      responses: shared,
    }),
  };
}

function describe({ reason, note }: FailureNote): string {
  const { title, status, help, isHttps }: ReasonSpec = reasons[reason];
  const why = note === null ? "" : ` (${note})`;
  return `- \`${reason}\`${why}: ${isHttps === true ? `${title} (${status}).` : help}`;
}

function headersOf(failures: readonly FailureNote[], isOauthEndpoint: boolean): JsonObject {
  const statuses = failures.map(({ reason }) => reasons[reason][isOauthEndpoint ? "oauthStatus" : "status"]);
  const names = [
    ...(statuses.includes(401) ? ["WWW-Authenticate"] : []),
    ...(statuses.includes(405) ? ["Allow"] : []),
    ...(statuses.some((status) => status === 429 || status === 503) ? ["Retry-After"] : []),
  ];
  if (names.length === 0) return {};
  return {
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
  };
}

function problemExample(
  reason: Reason,
  { title, help, isHttps, oauthError }: ReasonSpec,
  status: number,
): JsonObject {
  const detail = isHttps === true ? `${title}.` : (help.split(/(?<=\.)\s/, 1)[0] ?? help).replaceAll("`", "");
  return {
    type: isHttps === true ? "about:blank" : `${exampleAddress}/problems/${reason}`,
    title,
    status,
    detail,
    reason,
    request_id: "9a3ae3af-788b-4cc5-907d-bc9f47868aaf",
    ...(reason === "validation_failed"
      ? { errors: [{ field: "username", code: "required", detail: "is required" }] }
      : {}),
    ...(oauthError === null ? {} : { error: oauthError, error_description: detail }),
  };
}
