import { printLine } from "./output.ts";
import { presentTime } from "./present-time.ts";

/** Prints an object as people read it: a line for each member, under its name. */
export function printDetails(object: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(object).map((name) => name.length));
  for (const [name, value] of Object.entries(object)) {
    printLine(`${name.replaceAll("_", " ").padEnd(width)}  ${presentValue(name, value)}`);
  }
}

function presentValue(name: string, value: unknown): string {
  if (value === null || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(String).join(", ") || "-";
  if (typeof value !== "string") return JSON.stringify(value);
  return name.endsWith("_at") ? presentTime(value) : value;
}
