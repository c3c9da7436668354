import type { DescField, DescMessage, JsonObject } from "@bufbuild/protobuf";
import type { Binding } from "../transcoding/binding.ts";
import type { PathTemplate } from "../transcoding/template.ts";
import { readFieldRules } from "./field-rules.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import { isPlain } from "./value-schema.ts";

/**
 * A template of google.api.http as a path of OpenAPI: `{field}` for each variable.
 *
 * @throws Error if a variable takes more than one segment, or a wildcard segment belongs to none: OpenAPI can
 *   express neither
 */
export function pathOf({ owner, template }: Pick<Binding, "owner" | "template">): string {
  const segments = template.segments.map((segment, index) => {
    if (segment.kind === "literal") return segment.text;
    return `{${nameAt(template, index) ?? refuse(owner)}}`;
  });
  return `/${segments.join("/")}${template.verb === null ? "" : `:${template.verb}`}`;
}

function nameAt({ segments, variables }: PathTemplate, index: number): string | undefined {
  const variable = variables.find(({ start, end }) => start === index && end === index + 1);
  return segments[index]?.kind === "any" ? variable?.fieldPath.join(".") : undefined;
}

function refuse(owner: string): never {
  throw new Error(`${owner} has a path that OpenAPI cannot show: a variable is one segment there`);
}

/** The parameters of a binding: its path's variables, and the other request fields that the query can hold. */
export function parametersOf(binding: Binding, schemas: MessageSchemas): JsonObject[] {
  const inPath = binding.variables.map(({ path, entry }) => ({
    ...parameter(path, entry.field, schemas),
    in: "path",
    required: true,
  }));
  return [...inPath, ...queryParameters(binding, schemas)];
}

function queryParameters({ body, method, variablePaths }: Binding, schemas: MessageSchemas): JsonObject[] {
  if (body.kind === "message") return [];
  const taken = body.kind === "field" ? body.entry.field.name : null;
  return listPlainFields(method.input, "", [])
    .filter(([path]) => !variablePaths.has(path) && path.split(".", 1)[0] !== taken)
    .map(([path, field]) => ({
      ...parameter(path, field, schemas),
      in: "query",
      required: readFieldRules(field).required,
    }));
}

function parameter(name: string, field: DescField, schemas: MessageSchemas): JsonObject {
  const { description = "", ...schema } = schemas.inputField(field);
  return { name, in: "", description, schema };
}

/** The fields that a parameter can hold, with their paths: those of messages have a dotted name. */
function listPlainFields(
  desc: DescMessage,
  prefix: string,
  parents: readonly DescMessage[],
): (readonly [string, DescField])[] {
  return desc.fields.flatMap((field) => {
    const path = prefix + field.name;
    if (isPlain(field)) return [[path, field] as const];
    if (field.fieldKind !== "message" || parents.includes(field.message)) return [];
    return listPlainFields(field.message, `${path}.`, [...parents, desc]);
  });
}
