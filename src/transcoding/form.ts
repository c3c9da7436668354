import { decodePercent } from "./percent.ts";

/** A parameter of a query string or form: name and value, decoded. */
export type Parameter = readonly [name: string, value: string];

/**
 * Parses `application/x-www-form-urlencoded` text: pairs between `&`, `+` for a space, then
 * percent-encoded UTF-8. A name without `=` has the empty value; nothing between two `&` is nothing.
 *
 * @returns the parameters in their order; null when an encoding is broken or the octets are not UTF-8
 */
export function parseForm(text: string): Parameter[] | null {
  const parameters: Parameter[] = [];
  for (const pair of text.split("&")) {
    if (pair === "") {
      continue;
    }
    const equals = pair.indexOf("=");
    const name = decodeFormText(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decodeFormText(pair.slice(equals + 1));
    if (name === null || value === null) {
      return null;
    }
    parameters.push([name, value]);
  }
  return parameters;
}

function decodeFormText(text: string): string | null {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}
