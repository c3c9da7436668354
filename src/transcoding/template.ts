/** One segment of a path template: a literal, `*` (one segment) or `**` (the rest of the path). */
export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "rest" };

/** A variable of a path template, and which segments it stands for. */
export interface TemplateVariable {
  /** The request field, as the template names it, without its dots. */
  readonly fieldPath: readonly string[];
  /** The index of its first segment. */
  readonly start: number;
  /** The index after its last segment; null when it takes the rest of the path. */
  readonly end: number | null;
}

/** A parsed path template of google.api.http. */
export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
  readonly variables: readonly TemplateVariable[];
  /** What follows the last colon; null when there is none. */
  readonly verb: string | null;
}

const literalPattern = /^[A-Za-z0-9\-._~!$&'()+,;@]+$/;
const fieldPathPattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;
const verbPattern = /^[A-Za-z0-9\-._~]+$/;

/**
 * Parses a path template by the grammar in google/api/http.proto:
 * `/` segments, each a literal, `*`, `**`, `{field.path}` or `{field.path=segments}`, then `:verb`.
 * `**` must be the last segment. Literals are written unencoded, in ASCII.
 *
 * @throws Error with the place of the mistake; a template comes from the contract, never from a caller
 */
export function parseTemplate(text: string): PathTemplate {
  const segments: TemplateSegment[] = [];
  const variables: TemplateVariable[] = [];
  const { path, verb } = splitVerb(text);
  if (!path.startsWith("/")) {
    throw new Error(`the path template ${text} does not start with a slash`);
  }
  for (const part of splitOutsideBraces(path.slice(1), text)) {
    if (part.startsWith("{")) {
      variables.push(readVariable(part, segments, text));
    } else {
      segments.push(readSegment(part, text));
    }
  }
  requireRestLast(segments, text);
  requireDistinct(variables, text);
  return { segments, variables, verb };
}

function splitVerb(text: string): { path: string; verb: string | null } {
  const colon = text.lastIndexOf(":");
  if (colon === -1) {
    return { path: text, verb: null };
  }
  const verb = text.slice(colon + 1);
  if (!verbPattern.test(verb)) {
    throw new Error(`the path template ${text} has a malformed verb`);
  }
  return { path: text.slice(0, colon), verb };
}

function splitOutsideBraces(path: string, text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let open = false;
  for (let index = 0; index < path.length; index++) {
    const char = path[index];
    if (char === "{" || char === "}") {
      if (open === (char === "{")) {
        throw new Error(`the path template ${text} has a misplaced brace at ${index + 1}`);
      }
      open = !open;
    } else if (char === "/" && !open) {
      parts.push(path.slice(start, index));
      start = index + 1;
    }
  }
  if (open) {
    throw new Error(`the path template ${text} has an unclosed brace`);
  }
  parts.push(path.slice(start));
  return parts;
}

function readVariable(part: string, segments: TemplateSegment[], text: string): TemplateVariable {
  if (!part.endsWith("}")) {
    throw new Error(`the path template ${text} has a variable that is not a whole segment`);
  }
  const inner = part.slice(1, -1);
  const equals = inner.indexOf("=");
  const name = equals === -1 ? inner : inner.slice(0, equals);
  if (!fieldPathPattern.test(name)) {
    throw new Error(`the path template ${text} has a variable with a malformed field path`);
  }
  const start = segments.length;
  for (const piece of (equals === -1 ? "*" : inner.slice(equals + 1)).split("/")) {
    segments.push(readSegment(piece, text));
  }
  const end = segments.at(-1)?.kind === "rest" ? null : segments.length;
  return { fieldPath: name.split("."), start, end };
}

function readSegment(piece: string, text: string): TemplateSegment {
  if (piece === "*") {
    return { kind: "any" };
  }
  if (piece === "**") {
    return { kind: "rest" };
  }
  if (!literalPattern.test(piece)) {
    throw new Error(`the path template ${text} has an empty or malformed segment`);
  }
  return { kind: "literal", text: piece };
}

function requireRestLast(segments: readonly TemplateSegment[], text: string): void {
  const rest = segments.findIndex((segment) => segment.kind === "rest");
  if (rest !== -1 && rest !== segments.length - 1) {
    throw new Error(`the path template ${text} has ** before its end`);
  }
}

function requireDistinct(variables: readonly TemplateVariable[], text: string): void {
  const names = variables.map((variable) => variable.fieldPath.join("."));
  if (new Set(names).size !== names.length) {
    throw new Error(`the path template ${text} has a variable twice`);
  }
}
