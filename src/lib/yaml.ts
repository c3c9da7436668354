import type { JsonValue } from "@bufbuild/protobuf";

// Plain scalars that no reader of YAML 1.1 or 1.2 takes for anything but a text: some take E0 for a number.
const plainForm =
  /^(?![~-])(?!(?:true|false|yes|no|on|off|null|y|n|e-?[\d_]+)$)[A-Za-z/$][\w./$-]*(?: [\w./$(),-]+)*$/i;
// A line of a block: printable, and no white space at its end that an editor could drop.
const blockForm =
  /^(?:[^\p{C}\p{Zl}\p{Zp}\s]|[^\p{C}\p{Zl}\p{Zp}\s][^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Zl}\p{Zp}\s])?$/u;

/** Writes a JSON value as YAML 1.2 in block style, with a line break at its end. */
export function writeYaml(value: JsonValue): string {
  return `${block(value, "").replace(/^\n/, "")}\n`;
}

/** What stands behind a key or a dash: beginning with a line break where it takes lines of its own. */
function block(value: JsonValue, indent: string): string {
  if (typeof value === "string") return text(value, indent);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item) => `\n${indent}- ${behindDash(item, indent)}`).join("");
  }
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  return members.map(([name, member]) => `\n${indent}${key(name)}:${behindColon(member, indent)}`).join("");
}

/** The first member of an object stands on the line of its dash. */
function behindDash(item: JsonValue, indent: string): string {
  return block(item, `${indent}  `).replace(/^\n\s*/, "");
}

function behindColon(member: JsonValue, indent: string): string {
  const written = block(member, `${indent}  `);
  return written.startsWith("\n") ? written : ` ${written}`;
}

function key(name: string): string {
  return plainForm.test(name) && !name.includes(" ") ? name : JSON.stringify(name);
}

function text(value: string, indent: string): string {
  if (plainForm.test(value)) return value;
  const lines = value.split("\n");
  const isBlock =
    lines.length > 1 && lines[0] !== "" && lines.at(-1) !== "" && lines.every((line) => blockForm.test(line));
  if (!isBlock) return JSON.stringify(value);
  return `|-${lines.map((line) => (line === "" ? "\n" : `\n${indent}${line}`)).join("")}`;
}
