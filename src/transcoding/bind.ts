import type { Message } from "@bufbuild/protobuf";
import type { Binding } from "./binding.ts";
import { childOf, type Draft, getMember, setMember } from "./draft.ts";
import { parseForm } from "./form.ts";
import type { Parameter } from "./form.ts";
import { fillHttpBody } from "./http-body.ts";
import type { FieldTarget } from "./read-parameters.ts";
import { readBody } from "./read-body.ts";
import type { RequestBody } from "./read-body.ts";
import { parentOf, readParameters, readText } from "./read-parameters.ts";
import { fieldRefused, RestError, unknownRefused } from "./rest-error.ts";

/** A request, but for its method and path. */
export interface RestRequest extends RequestBody {
  /** What follows the question mark in the address, percent-encoded; empty when nothing does. */
  readonly query: string;
}

const queryPattern = /^[!-~]*$/;

/**
 * Makes the request message of an RPC from a request's body, path and query.
 *
 * @param variables the texts of the path variables, in the template's order
 * @throws RestError 400 or 415
 */
export function bindRequest(
  binding: Binding,
  variables: readonly string[],
  request: RestRequest,
  isBodyOptional: boolean,
): Message {
  const draft = readBody(binding, request, isBodyOptional);
  for (const [index, target] of binding.variables.entries()) {
    addVariable(draft, target, variables[index] ?? "");
  }
  if (request.query !== "") {
    addQuery(draft, binding, parseQuery(request.query));
  }
  addRawBody(binding, draft, request);
  return draft.message;
}

/** Bytes of any kind go in as they are. */
function addRawBody({ body }: Binding, draft: Draft, request: RestRequest): void {
  if (body.kind === "none" || !body.raw) {
    return;
  }
  const isField = body.kind === "field" && body.entry.content.kind === "message";
  const { message } = isField ? childOf(draft, body.entry, body.entry.content.table) : draft;
  fillHttpBody(message, request.contentType, request.body);
}

function addVariable(draft: Draft, target: FieldTarget, text: string): void {
  const value = readText(target.entry, text, target.path);
  const parent = parentOf(draft, target);
  const present = getMember(parent, target.entry);
  if (present === undefined) {
    setMember(parent, target.entry, value);
  } else if (!isSame(present, value)) {
    throw fieldRefused(target.path, "contradictory", "has one value in the path and another in the body");
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array
    ? Buffer.compare(one, other) === 0
    : Object.is(one, other);
}

function parseQuery(query: string): Parameter[] {
  const parameters = queryPattern.test(query) ? parseForm(query) : null;
  if (parameters === null) {
    throw new RestError(400, "The query string is not well-formed.");
  }
  return parameters;
}

function addQuery(draft: Draft, binding: Binding, parameters: readonly Parameter[]): void {
  const { body } = binding;
  if (body.kind === "message") {
    refuseKnown(binding, parameters);
  } else {
    const bodyField = body.kind === "field" ? body.entry.field.name : null;
    readParameters(draft, parameters, "", (path) => {
      return binding.variablePaths.has(path) || (bodyField !== null && path.split(".", 1)[0] === bodyField);
    });
  }
}

/**
 * Where the body is the whole message,
 * nothing is left for the query, credentials least of all (RFC 6749 section 2.3.1).
 */
function refuseKnown({ input }: Binding, parameters: readonly Parameter[]): void {
  for (const [name] of parameters) {
    const entry = input.fields.get(name.split(".", 1)[0] ?? "");
    if (entry !== undefined) {
      throw fieldRefused(entry.field.name, "misplaced", "may not be given in the query string");
    }
    if (!input.lenient) {
      throw unknownRefused("", name, "The request has a parameter that is not known.");
    }
  }
}
