import type { JsonValue } from "@bufbuild/protobuf";
import { RestError } from "./rest-error.ts";

/** How deep objects and arrays may nest in a body. */
const jsonDepthMax = 100;

/**
 * Parses the text of a JSON body (RFC 8259), and refuses what JSON.parse lets pass: a member name
 * given twice in one object, lone surrogates, and nesting beyond 100 levels.
 * Linear in the text's length, without recursion.
 *
 * @throws RestError 400
 */
export function parseJsonText(text: string): JsonValue {
  let value: JsonValue;
  try {
    // V8 parses without recursion, so depth alone cannot exhaust the stack here.
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw new RestError(400, "The body is not well-formed JSON.");
  }
  checkStructure(text);
  return value;
}

/** Walks text that is known to be well-formed JSON, from string to string and bracket to bracket. */
function checkStructure(text: string): void {
  // The names seen in each open object; null for an open array.
  const open: (Set<string> | null)[] = [];
  let isName = false;
  const isEscaped = text.includes("\\");
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: {
        const end = isEscaped ? findStringEnd(text, index + 1) : text.indexOf('"', index + 1);
        if (isName || isEscaped) checkString(text.slice(index, end + 1), isName ? open.at(-1) : null);
        isName = false;
        index = end;
        break;
      }
      case 0x7b:
      case 0x5b: {
        isName = text[index] === "{";
        open.push(isName ? new Set() : null);
        if (open.length > jsonDepthMax) {
          throw new RestError(400, "The body is nested too deeply.");
        }
        break;
      }
      case 0x7d:
      case 0x5d:
        open.pop();
        isName = false;
        break;
      case 0x2c:
        isName = open.at(-1) !== null;
        break;
    }
  }
}

function findStringEnd(text: string, start: number): number {
  let end = start;
  while (text.charCodeAt(end) !== 0x22) {
    end += text.charCodeAt(end) === 0x5c ? 2 : 1;
  }
  return end;
}

/** @param literal a string with its quotes; `names` is given when it is the name of a member */
function checkString(literal: string, names: Set<string> | null | undefined): void {
  let text = literal.slice(1, -1);
  if (text.includes("\\")) {
    text = JSON.parse(literal) as string;
    // The text came from UTF-8, so that only an escape can bring in half of a surrogate pair.
    if (!text.isWellFormed()) {
      throw new RestError(400, "The body holds text that is not Unicode.");
    }
  }
  if (names) {
    if (names.has(text)) {
      throw new RestError(400, "The body has a member twice.");
    }
    names.add(text);
  }
}
