import { getOption, type JsonObject } from "@bufbuild/protobuf";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  access,
  body_types,
  in_cookie,
  may_omit,
  media_type,
  oauth_endpoint,
  oauth_parameters,
  success_status,
} from "../gen/countersign/v1/options_pb.ts";
import { streamTypes } from "../transcoding/accept.ts";
import type { Binding } from "../transcoding/binding.ts";
import { isHttpBody } from "../transcoding/http-body.ts";
import { authModeReference, cookieWayOf } from "./cookies.ts";
import { answerExample, requestExample } from "./examples.ts";
import type { FailureResponses } from "./failure-responses.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import { parametersOf } from "./parameters.ts";
import { readComment } from "./read-comment.ts";
import { securityOf } from "./security.ts";
import { isPlain } from "./value-schema.ts";

/** What operations are made from. */
export interface OperationParts {
  readonly schemas: MessageSchemas;
  readonly failures: FailureResponses;
}

/** A binding of google.api.http as an operation. */
export function createOperation(binding: Binding, id: string, parts: OperationParts): JsonObject {
  const { method } = binding;
  const { summary, rest, reasons } = readComment(method);
  const cookieWay = cookieWayOf(method);
  const parameters = [
    ...parametersOf(binding, parts.schemas),
    ...(cookieWay === null ? [] : [authModeReference]),
  ];
  const body = requestBody(binding, parts.schemas);
  return {
    operationId: id,
    tags: [tagOf(method.parent.name)],
    summary,
    ...(rest === "" ? {} : { description: rest }),
    security: securityOf(method),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null ? {} : { requestBody: body }),
    responses: {
      ...successResponse(binding, parts.schemas),
      ...parts.failures.responsesOf(reasons, getOption(method, oauth_endpoint)),
    },
  };
}

/** The tag of a service's operations: its name without `Service`. */
export function tagOf(serviceName: string): string {
  return serviceName.replace(/Service$/, "");
}

function requestBody({ method, body }: Binding, schemas: MessageSchemas): JsonObject | null {
  if (body.kind === "none") return null;
  const { input } = method;
  const media =
    body.kind === "message"
      ? { schema: schemas.input(input), example: requestExample(input) }
      : { schema: schemas.inputField(body.entry.field) };
  const message = body.kind === "message" ? input : body.entry.field.message;
  if (method.methodKind === "client_streaming") {
    const description = "A stream: each line is a JSON object of this schema.";
    return { description, required: true, content: { [streamTypes.ndjson]: media } };
  }
  const form = message?.fields.every(isPlain) ? ["application/x-www-form-urlencoded"] : [];
  const types = getOption(input, oauth_parameters)
    ? [...form, "application/json"]
    : ["application/json", ...form];
  return {
    required: !isBodyOptional(method),
    content: Object.fromEntries(types.map((type) => [type, media])),
  };
}

/** The body is optional if a token in the header or in a cookie is enough, or the path says what is to be done. */
function isBodyOptional(method: Binding["method"]): boolean {
  const { rule } = getOption(method, access);
  const required = method.input.fields.filter((field) => getOption(field, fieldRules).required);
  const needsNone = rule.case === "permission" || (rule.case === "bearer" && rule.value.unlessField !== "");
  if (needsNone && required.length === 0) return true;
  return required.length > 0 && required.every((field) => getOption(field, in_cookie));
}

function successResponse({ method, responseField }: Binding, schemas: MessageSchemas): JsonObject {
  const { output } = method;
  const status = getOption(method, success_status) || (output.fields.length === 0 ? 204 : 200);
  const headers =
    cookieWayOf(method)?.setsCookies === true
      ? { headers: { "Set-Cookie": { $ref: "#/components/headers/Set-Cookie" } } }
      : {};
  if (status === 204) return { "204": { description: "Done. The answer has no body.", ...headers } };
  if (isHttpBody(output)) return { [status]: { description: "Done.", content: bodiesOf(method) } };
  const omitted = getOption(method, may_omit);
  const own = omitted === "" ? undefined : { field: omitted, name: `${method.name}Response` };
  const media =
    responseField === null
      ? { schema: schemas.output(output, own), example: answerExample(output, omitted) }
      : { schema: schemas.outputField(responseField) };
  if (method.methodKind === "server_streaming") {
    return { [status]: { description: "Done, as a stream.", content: streamsOf(media) } };
  }
  const type = getOption(method, media_type);
  const types = ["application/json", ...(type === "" ? [] : [type])];
  const content = Object.fromEntries(types.map((each) => [each, media]));
  return { [status]: { description: "Done.", ...headers, content } };
}

/** The forms of a stream of messages. OpenAPI 3.1 knows no schema for the items of a text. */
function streamsOf({
  schema,
  example,
}: {
  readonly schema: JsonObject;
  readonly example?: JsonObject;
}): JsonObject {
  const line = JSON.stringify(example ?? {});
  const text = (description: string) => ({ type: "string", description });
  return {
    [streamTypes.ndjson]: {
      schema: text(
        'Each message as JSON, on a line of its own. A failure is the last line: `{"error": ProblemDetail}`.',
      ),
      example: `${line}\n`,
    },
    [streamTypes.sse]: {
      schema: text("Each message as an event. A failure is the last one, of the type `problem`."),
      example: `data: ${line}\n\n`,
    },
    [streamTypes.array]: { schema: { type: "array", items: schema } },
  };
}

/** An answer that is no JSON. */
function bodiesOf(method: Binding["method"]): JsonObject {
  const types = getOption(method, body_types);
  return Object.fromEntries(types.map((type) => [type, { schema: { type: "string" } }]));
}
