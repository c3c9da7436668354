import { lowerAscii } from "../lib/http-text.ts";

/** A media type or media range as it stands in a header, in lower case but for the parameters' values. */
export interface MediaType {
  readonly type: string;
  readonly subtype: string;
  /** The parameters in their order: lower-case name, value without its quotes. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

// Each expression is sticky and matches in one pass, so that no header can make it run away.
const tokenPattern = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const whitespacePattern = /[ \t]*/y;
const quotedPattern = /"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)"/y;

/**
 * Reads one media type (RFC 9110 section 8.3.1), with whitespace around it and around each semicolon.
 *
 * @param text the header's value
 * @returns null when the text is anything else
 */
export function parseMediaType(text: string): MediaType | null {
  const cursor = { text, at: 0 };
  take(cursor, whitespacePattern);
  const type = take(cursor, tokenPattern)?.[0];
  if (type === undefined || text[cursor.at++] !== "/") {
    return null;
  }
  const subtype = take(cursor, tokenPattern)?.[0];
  const parameters = subtype === undefined ? null : readParameters(cursor);
  if (subtype === undefined || parameters === null) {
    return null;
  }
  return { type: lowerAscii(type), subtype: lowerAscii(subtype), parameters };
}

/**
 * Splits a header that holds a list at its commas, those in quoted strings excepted
 * (RFC 9110 section 5.6.1). An unclosed quote runs to the end.
 */
export function splitList(text: string): string[] {
  if (!text.includes('"')) {
    return text.split(",");
  }
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '"') {
      quoted = !quoted;
    } else if (char === "\\" && quoted) {
      index++;
    } else if (char === "," && !quoted) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match !== null) {
    cursor.at = pattern.lastIndex;
  }
  return match;
}

function readParameters(cursor: Cursor): [string, string][] | null {
  const parameters: [string, string][] = [];
  take(cursor, whitespacePattern);
  while (cursor.at < cursor.text.length) {
    if (cursor.text[cursor.at++] !== ";") {
      return null;
    }
    take(cursor, whitespacePattern);
    const name = take(cursor, tokenPattern)?.[0];
    // RFC 9110 section 5.6.6 allows semicolons with nothing between them.
    if (name !== undefined) {
      const value = cursor.text[cursor.at++] === "=" ? readValue(cursor) : null;
      if (value === null) {
        return null;
      }
      parameters.push([lowerAscii(name), value]);
    }
    take(cursor, whitespacePattern);
  }
  return parameters;
}

function readValue(cursor: Cursor): string | null {
  const token = take(cursor, tokenPattern);
  if (token !== null) {
    return token[0];
  }
  const quoted = take(cursor, quotedPattern)?.[1];
  return quoted === undefined ? null : quoted.replace(/\\(.)/g, "$1");
}
