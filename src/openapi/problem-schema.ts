import type { JsonObject } from "@bufbuild/protobuf";
import { fieldCodes } from "../errors/field-codes.ts";
import { reasons } from "../errors/reasons.ts";

const oauthErrors = [...new Set(Object.values(reasons).flatMap(({ oauthError }) => oauthError ?? []))];

/** ProblemDetail: RFC 9457 section 3.1, Countersign's own members (section 3.2), and those of RFC 6749 section 5.2. */
export const problemSchema: JsonObject = {
  type: "object",
  description:
    "The answer to a request that failed (RFC 9457). Programs decide by `reason`: it is stable, and the same over every protocol.",
  required: ["title", "status", "detail"],
  properties: {
    type: {
      type: "string",
      default: "about:blank",
      description:
        "The address of the reason's page; `about:blank` if the status explains the failure completely.",
    },
    title: { type: "string", description: "A summary, the same for every failure with this reason." },
    status: { type: "integer", description: "The HTTP status." },
    detail: { type: "string", description: "What is wrong this time." },
    reason: {
      type: "string",
      enum: Object.keys(reasons),
      description: "The reason's name; later versions may add more.",
    },
    request_id: { type: "string", description: "The id under which the service has logged the request." },
    errors: {
      type: "array",
      description: "The wrong fields, if the failure is about fields.",
      items: {
        type: "object",
        required: ["field", "code", "detail"],
        properties: {
          field: { type: "string", description: "The field's name; parts of a path are joined by dots." },
          code: {
            type: "string",
            description: `What is wrong with it, for programs: ${Object.keys(fieldCodes)
              .map((code) => `\`${code}\``)
              .join(", ")}; later versions may add more.`,
          },
          detail: { type: "string", description: "What is wrong with it." },
        },
      },
    },
    error: {
      type: "string",
      enum: oauthErrors,
      description: "The error's name in OAuth, if it has one (RFC 6749 section 5.2).",
    },
    error_description: { type: "string", description: "The same as `detail`, for OAuth clients." },
  },
};
