import { posix } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

/** One module that a file asks for. */
export interface ImportReference {
  /** As it is written; null where it is computed, so that nobody can tell. */
  readonly specifier: string | null;
  /** The line on which it stands, from 1. */
  readonly line: number;
}

/** What a source file asks of its surroundings. */
export interface ImportReport {
  /** Imports and re-exports, of types too, static and dynamic. */
  readonly imports: readonly ImportReference[];
  /** The lines on which the file reaches for `process.env`, from 1. */
  readonly environmentLines: readonly number[];
}

/**
 * Reads the imports of one TypeScript source.
 *
 * @throws Error when the source does not parse
 */
export function readImports(path: string, source: string): ImportReport {
  const parsed = parseSync(path, source);
  const [failure] = parsed.errors;
  if (failure) throw new Error(`${path} does not parse: ${failure.message}`);

  const imports: ImportReference[] = [];
  const environmentLines: number[] = [];
  const lineAt = (offset: number): number => source.slice(0, offset).split("\n").length;
  const add = (node: Located, specifier: string | null): void => {
    imports.push({ specifier, line: lineAt(node.start) });
  };
  const readsEnvironment = (node: Located): void => {
    environmentLines.push(lineAt(node.start));
  };

  new Visitor({
    ImportDeclaration(node) {
      add(node, node.source.value);
      const isProcess = /^(node:)?process$/.test(node.source.value);
      if (isProcess && node.specifiers.some((one) => importedName(one) === "env")) readsEnvironment(node);
    },
    ExportNamedDeclaration(node) {
      if (node.source) add(node, node.source.value);
    },
    ExportAllDeclaration(node) {
      add(node, node.source.value);
    },
    ImportExpression(node) {
      add(node, literalValue(node.source));
    },
    TSImportType(node) {
      add(node, node.source.value);
    },
    MemberExpression(node) {
      const property = node.computed ? literalValue(node.property) : nameOf(node.property);
      if (property === "env" && isProcess(node.object)) readsEnvironment(node);
    },
    VariableDeclarator(node) {
      if (!node.init || !isProcess(node.init) || node.id.type !== "ObjectPattern") return;
      const names = node.id.properties.map((one) => (one.type === "Property" ? nameOf(one.key) : "env"));
      if (names.includes("env")) readsEnvironment(node);
    },
  }).visit(parsed.program);
  return { imports, environmentLines };
}

/**
 * Where a specifier leads: a path from the repository's root for one of our files, the name itself for
 * a package or built-in module.
 */
export function resolveSpecifier(from: string, specifier: string): { ours: boolean; target: string } {
  if (!/^\.{1,2}(\/|$)/.test(specifier)) return { ours: false, target: specifier };
  return { ours: true, target: posix.join(posix.dirname(from), specifier) };
}

interface Located {
  readonly start: number;
}

/** A node as far as these rules look into it. */
interface Node {
  readonly type: string;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly property?: unknown;
}

function nameOf(node: Node): string | null {
  return node.type === "Identifier" && typeof node.name === "string" ? node.name : null;
}

function literalValue(node: Node): string | null {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}

function importedName(specifier: { type: string; imported?: Node }): string | null {
  return specifier.imported ? nameOf(specifier.imported) : null;
}

/** `process`, and what ends in it: `globalThis.process`. */
function isProcess(node: Node): boolean {
  if (node.type === "MemberExpression") return isProcess(node.property as Node);
  return nameOf(node) === "process";
}
