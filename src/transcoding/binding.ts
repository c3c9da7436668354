import { getOption, hasOption } from "@bufbuild/protobuf";
import type {
  DescField,
  DescMethod,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from "@bufbuild/protobuf";
import { http } from "../gen/google/api/annotations_pb.ts";
import type { HttpRule } from "../gen/google/api/http_pb.ts";
import { isHttpBody } from "./http-body.ts";
import type { FieldEntry, MessageTable, TableOf } from "./message-table.ts";
import { resolveName } from "./read-parameters.ts";
import type { FieldTarget } from "./read-parameters.ts";
import type { Route } from "./route-trie.ts";
import { parseTemplate } from "./template.ts";

/** An RPC that can be bound: one side of it at most is a stream. */
export type RestMethod = DescMethodUnary | DescMethodServerStreaming | DescMethodClientStreaming;

/** What a request's body fills. It is raw where that is a google.api.HttpBody. */
export type BodyTarget =
  | { readonly kind: "none" }
  | { readonly kind: "message"; readonly raw: boolean }
  | { readonly kind: "field"; readonly raw: boolean; readonly entry: FieldEntry };

/** One HTTP method and path that an RPC is bound to, with all that reading and answering need. */
export interface Binding extends Route {
  readonly method: RestMethod;
  /** The template as the contract has it, under the base path: a label of low cardinality for metrics. */
  readonly path: string;
  readonly body: BodyTarget;
  /** The response field that the answer shows; null for the whole message. */
  readonly responseField: DescField | null;
  /** The request message. */
  readonly input: MessageTable;
  /** The fields of the path variables, in the template's order. */
  readonly variables: readonly FieldTarget[];
  /** The paths (proto names) of those fields. */
  readonly variablePaths: ReadonlySet<string>;
}

/**
 * Compiles the google.api.http bindings of a service's RPCs; those without the option have none.
 *
 * @param basePath empty, or a path without a slash at its end, before every template
 * @throws Error that names the RPC when a binding cannot work
 */
export function compileBindings(service: DescService, basePath: string, tableOf: TableOf): Binding[] {
  return service.methods
    .filter((method) => hasOption(method, http))
    .flatMap((method) => {
      try {
        return compileMethod(method, basePath, tableOf);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : "unknown";
        throw new Error(`${ownerOf(method)} cannot be bound to HTTP: ${reason}`, { cause });
      }
    });
}

function compileMethod(method: DescMethod, basePath: string, tableOf: TableOf): Binding[] {
  if (!isBindable(method)) {
    throw new Error("streams in both directions have no form in HTTP");
  }
  const rule = getOption(method, http);
  if (rule.additionalBindings.some((additional) => additional.additionalBindings.length > 0)) {
    throw new Error("additional bindings cannot nest");
  }
  return [rule, ...rule.additionalBindings].map((each) => compileRule(method, each, basePath, tableOf));
}

function compileRule(method: RestMethod, rule: HttpRule, basePath: string, tableOf: TableOf): Binding {
  const { httpMethod, path } = readPattern(rule, basePath);
  const input = tableOf(method.input);
  const template = parseTemplate(path);
  const variables = template.variables.map(({ fieldPath }) => requireVariable(input, fieldPath.join(".")));
  const body = compileBody(rule.body, input);
  if (body.kind !== "none" && (httpMethod === "GET" || httpMethod === "HEAD")) {
    throw new Error(`${httpMethod} takes no body`);
  }
  if (body.kind === "message" && body.raw && variables.length > 0) {
    throw new Error(`the message ${input.desc.typeName} is filled by the path and by the body`);
  }
  if (body.kind === "field" && variables.some(({ path: taken }) => taken.split(".")[0] === rule.body)) {
    throw new Error(`the field ${rule.body} is filled by the path and by the body`);
  }
  if (method.methodKind === "client_streaming" && body.kind === "none") {
    throw new Error("a stream of requests takes a body");
  }
  return {
    owner: ownerOf(method),
    method,
    httpMethod,
    path,
    template,
    body,
    input,
    variables,
    variablePaths: new Set(variables.map((variable) => variable.path)),
    responseField: requireResponseField(method, rule.responseBody),
  };
}

function readPattern(rule: HttpRule, basePath: string): { httpMethod: string; path: string } {
  const { pattern } = rule;
  if (pattern.case === undefined) {
    throw new Error("the binding has no HTTP method");
  }
  // our own text: a name from the descriptor.
  const httpMethod = pattern.case === "custom" ? pattern.value.kind : pattern.case.toUpperCase();
  if (!/^(?:[A-Z]+|\*)$/.test(httpMethod)) {
    throw new Error("the custom HTTP method must be in capital letters");
  }
  // RFC 9110 section 9.3.6: its target is a host and not a path.
  if (httpMethod === "CONNECT") {
    throw new Error("CONNECT takes no path");
  }
  return { httpMethod, path: basePath + (pattern.case === "custom" ? pattern.value.path : pattern.value) };
}

function requireVariable(input: MessageTable, name: string): FieldTarget {
  const { target } = resolveName(input, name);
  if (target === null) {
    throw new Error(`the path variable ${name} is not a field that a path can hold`);
  }
  if (target.path !== name) {
    throw new Error(`the path variable ${name} must be written in proto names`);
  }
  if (target.entry.shape !== "single" || target.entry.field.message !== undefined) {
    throw new Error(`the path variable ${name} is repeated or a message`);
  }
  return target;
}

function compileBody(body: string, input: MessageTable): BodyTarget {
  if (body === "") {
    return { kind: "none" };
  }
  if (body === "*") {
    return { kind: "message", raw: isHttpBody(input.desc) };
  }
  const entry = input.fields.get(body);
  if (entry === undefined || entry.field.name !== body) {
    throw new Error(`the body names ${body}, which is not a field of ${input.desc.typeName}`);
  }
  return { kind: "field", raw: entry.shape === "single" && isHttpBody(entry.field.message), entry };
}

function requireResponseField(method: RestMethod, name: string): DescField | null {
  const field = method.output.fields.find((each) => each.name === name) ?? null;
  if (field === null && name !== "") {
    throw new Error(`the response body names ${name}, which is not a field of ${method.output.typeName}`);
  }
  return field;
}

function isBindable(method: DescMethod): method is RestMethod {
  return method.methodKind !== "bidi_streaming";
}

function ownerOf(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}
