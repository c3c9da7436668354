import { type Item, requireBounded } from "./items.ts";

/** What the scanner knows of the place where it stands. */
interface Place {
  depth: number;
  line: number;
  inString: boolean;
  isEscaped: boolean;
  /** The string before, where it may be a member's name: outside of the records. */
  name: string;
  /** The depth of the records' array; 0 before it has begun. */
  arrayDepth: number;
}

/**
 * Finds the objects of an array in a large JSON text without holding more than one of them: of the array that is the
 * whole text, or that is the member `name` of the object that is the whole text. What lies outside of it is not checked.
 *
 * @throws Error where there is no such array, or the text ends before it does
 */
export async function* readJsonItems(text: AsyncIterable<string>, name: string): AsyncGenerator<Item> {
  const at: Place = { depth: 0, line: 1, inString: false, isEscaped: false, name: "", arrayDepth: 0 };
  let item: { readonly line: number; text: string } | null = null;
  let isFound = false;
  for await (const chunk of text) {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const char = chunk.charAt(index);
      const before = at.depth;
      step(at, char, name);
      if (at.arrayDepth > 0) isFound = true;
      if (item === null && char === "{" && before === at.arrayDepth && before > 0 && at.depth > before) {
        item = { line: at.line, text: "" };
        start = index;
      } else if (item !== null && char === "}" && !at.inString && at.depth === at.arrayDepth) {
        yield { line: item.line, text: item.text + chunk.slice(start, index + 1) };
        item = null;
      }
    }
    if (item !== null) {
      item.text += chunk.slice(start);
      requireBounded(item.text.length, item.line);
    }
  }
  if (!isFound) throw new Error(`The file holds no list of users, neither by itself nor as "${name}".`);
  if (at.depth > 0) throw new Error(`The file ends too early, on line ${at.line}.`);
}

function step(at: Place, char: string, wanted: string): void {
  if (char === "\n") at.line += 1;
  if (at.inString) {
    stepInString(at, char);
    return;
  }
  switch (char) {
    case '"':
      at.inString = true;
      at.name = "";
      return;
    case "[":
      if (at.depth === 0 || (at.depth === 1 && at.arrayDepth === 0 && at.name === wanted)) {
        at.arrayDepth = at.depth + 1;
      }
      at.depth += 1;
      return;
    case "{":
      at.depth += 1;
      return;
    case "]":
      // The array of the records is over; what follows has none.
      if (at.depth === at.arrayDepth) at.arrayDepth = -1;
      at.depth -= 1;
      return;
    case "}":
      at.depth -= 1;
      return;
    case ",":
      if (at.depth === 1) at.name = "";
      break;
    default:
  }
}

function stepInString(at: Place, char: string): void {
  if (at.isEscaped) at.isEscaped = false;
  else if (char === "\\") at.isEscaped = true;
  else if (char === '"') at.inString = false;
  else if (at.depth === 1 && at.arrayDepth === 0 && at.name.length < 64) at.name += char;
}
