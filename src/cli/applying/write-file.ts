import { writeYaml } from "../../lib/yaml.ts";
import type { Api } from "../calling/with-api.ts";
import { emptyValue, type Field, type Item, valueSchema } from "./fields.ts";
import { type Kind, nameOf } from "./kind.ts";
import { kinds } from "./kinds.ts";

/** Writes what there is as a file that changes nothing. */
export async function writeConfigFile(api: Api): Promise<string> {
  const sections: [string, Record<string, string | boolean | number | string[]>[]][] = [];
  for (const kind of kinds) {
    const found = await kind.read(api, []);
    sections.push([kind.section, found.map(({ item }) => writeItem(kind, item))]);
  }
  const schema = "# yaml-language-server: $schema=countersign.schema.json";
  return `${schema}\n${writeYaml({ version: 1, ...Object.fromEntries(sections) })}`.trimEnd();
}

/** Without what may be left out; of several fields that name it, the first. */
function writeItem(
  { fields, ...kind }: Kind,
  item: Item,
): Record<string, string | boolean | number | string[]> {
  const name = nameOf({ fields, ...kind }, item);
  let isNamed = false;
  const written: Record<string, string | boolean | number | string[]> = {};
  for (const [field, { type, isName, isRequired }] of Object.entries(fields)) {
    const value = item[field] ?? null;
    if (value === null || (isName === true && (isNamed || value !== name))) continue;
    isNamed ||= isName === true;
    const isEmpty = JSON.stringify(value) === JSON.stringify(emptyValue(type));
    if (!isEmpty || isRequired === true) written[field] = typeof value === "object" ? [...value] : value;
  }
  return written;
}

/** The JSON Schema (2020-12) of the file. */
export function configFileSchema(): Record<string, unknown> {
  const sections = kinds.map((kind) => [kind.section, sectionSchema(kind)]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Roles, clients and users' roles of Countersign: the file of `countersign apply`.",
    type: "object",
    additionalProperties: false,
    required: ["version"],
    properties: {
      version: { const: 1, description: "The version of this form." },
      ...Object.fromEntries(sections),
    },
  };
}

function sectionSchema({ help, fields }: Kind): Record<string, unknown> {
  const entries = Object.entries(fields);
  const named = (wants: (field: Field) => boolean): string[] =>
    entries.filter(([, field]) => wants(field)).map(([name]) => name);
  const names = named(({ isName }) => isName === true);
  const required = named(({ isRequired }) => isRequired === true);
  return {
    description: `${help} A section that is left out is not looked at.`,
    type: ["array", "null"],
    items: {
      type: "object",
      additionalProperties: false,
      ...(names.length === 1 ? { required: [...names, ...required] } : { required }),
      ...(names.length > 1 ? { oneOf: names.map((name) => ({ required: [name] })) } : {}),
      properties: Object.fromEntries(
        entries.map(([name, { type, help: description, isName }]) => [
          name,
          { description, ...valueSchema(type), ...(isName === true ? { minLength: 1 } : {}) },
        ]),
      ),
    },
  };
}
