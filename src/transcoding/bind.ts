import { fromJson } from "@bufbuild/protobuf";
import type { JsonObject, Message, Registry } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Binding } from "./binding.ts";
import { parseForm } from "./form.ts";
import type { Parameter } from "./form.ts";
import { fillHttpBody } from "./http-body.ts";
import type { FieldTarget } from "./read-parameters.ts";
import { readBody } from "./read-body.ts";
import type { RequestBody } from "./read-body.ts";
import { setMember } from "./read-json.ts";
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
 * @param options `registry` knows the messages that an Any may hold
 * @throws RestError 400 or 415
 */
export function bindRequest(
  binding: Binding,
  variables: readonly string[],
  request: RestRequest,
  { isBodyOptional, registry }: { readonly isBodyOptional: boolean; readonly registry: Registry },
): Message {
  const tree = readBody(binding, request, isBodyOptional);
  for (const [index, target] of binding.variables.entries()) {
    addVariable(tree, target, variables[index] ?? "");
  }
  if (request.query !== "") {
    addQuery(tree, binding, parseQuery(request.query));
  }
  const message = readTree(binding, tree, registry);
  addRawBody(binding, message, request);
  return message;
}

function readTree(binding: Binding, tree: JsonObject, registry: Registry): Message {
  try {
    // The depth was bounded when body and names were read; Struct takes two levels for one of JSON.
    return fromJson(binding.input.desc, tree, { recursionLimit: 1000, registry });
  } catch {
    // The tree holds the caller's values and nothing else, so they are what is wrong. The error is not
    // kept as a cause: it quotes them, and a password may be among them.
    throw new RestError(400, "The request does not fit its message.");
  }
}

/** Bytes of any kind go in as they are, past the tree. */
function addRawBody({ body, input }: Binding, message: Message, request: RestRequest): void {
  if (body.kind === "none" || !body.raw) {
    return;
  }
  const field = body.kind === "field" ? body.entry.field : null;
  const holder = field?.fieldKind === "message" ? reflect(input.desc, message).get(field).message : message;
  fillHttpBody(holder, request.contentType, request.body);
}

function addVariable(tree: JsonObject, target: FieldTarget, text: string): void {
  const value = readText(target.entry, text, target.path);
  const object = parentOf(tree, target);
  const present = object[target.entry.key];
  if (present === undefined) {
    setMember(object, target.entry, value);
  } else if (present !== value) {
    throw fieldRefused(target.path, "contradictory", "has one value in the path and another in the body");
  }
}

function parseQuery(query: string): Parameter[] {
  const parameters = queryPattern.test(query) ? parseForm(query) : null;
  if (parameters === null) {
    throw new RestError(400, "The query string is not well-formed.");
  }
  return parameters;
}

function addQuery(tree: JsonObject, binding: Binding, parameters: readonly Parameter[]): void {
  const { body, input } = binding;
  if (body.kind === "message") {
    refuseKnown(binding, parameters);
  } else {
    const bodyField = body.kind === "field" ? body.entry.field.name : null;
    readParameters(tree, input, parameters, "", (path) => {
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
