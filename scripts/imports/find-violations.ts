import { posix } from "node:path";
import { type ImportReference, readImports, resolveSpecifier } from "./read-imports.ts";
import type { ImportRules, LayerRule } from "./rules.ts";

/** One breach of the rules, by the file and line that it stands on. */
export interface ImportViolation {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/**
 * Holds sources against the import rules.
 *
 * @param sources the text of each file, by its path from the repository's root with forward slashes
 * @returns the violations in the order of the files; empty when there is none
 * @throws Error when a source does not parse
 */
export function findImportViolations(
  sources: ReadonlyMap<string, string>,
  rules: ImportRules,
): ImportViolation[] {
  const violations: ImportViolation[] = [];
  for (const [path, source] of sources) {
    if (matches(path, rules.exempt)) continue;
    violations.push(...checkFile(path, source, rules));
  }
  return violations;
}

function checkFile(path: string, source: string, rules: ImportRules): ImportViolation[] {
  const layer = layerOf(path, rules);
  if (!layer) {
    return [
      { path, line: 1, message: "belongs to no layer; give its folder one in scripts/imports/rules.ts" },
    ];
  }
  const report = readImports(path, source);
  const violations: ImportViolation[] = [];
  for (const reference of report.imports) {
    const message = judge(path, reference, layer, rules);
    if (message) violations.push({ path, line: reference.line, message });
  }
  if (matches(path, rules.environmentReaders)) return violations;
  for (const line of report.environmentLines) {
    violations.push({
      path,
      line,
      message: `reads process.env: only ${rules.environmentReaders.join(", ")} may`,
    });
  }
  return violations;
}

function judge(
  path: string,
  reference: ImportReference,
  layer: LayerRule,
  rules: ImportRules,
): string | null {
  if (reference.specifier === null) return "imports a computed name: these rules cannot follow it";
  const { ours, target } = resolveSpecifier(path, reference.specifier);
  if (!ours) return judgePackage(target, layer);
  if (!target.startsWith("src/")) return `imports ${target}: nothing in src leans on what lies outside`;
  const secret = rules.privates.find((rule) => isPrivateTo(rule.files, path, target));
  if (secret && !matches(path, secret.mayBeImportedBy)) return `imports ${target}: ${secret.why}`;
  if (layerOf(target, rules) === layer || matches(target, layer.mayImport)) return null;
  return `imports ${target}: ${layer.why}`;
}

function layerOf(path: string, rules: ImportRules): LayerRule | undefined {
  return rules.layers.find((rule) => matches(path, rule.files));
}

function judgePackage(name: string, layer: LayerRule): string | null {
  // An alias of package.json, an address or an absolute path can lead to our own files unseen.
  if (/^(#|\/|file:|data:)/.test(name)) {
    return "imports by an alias or address: our own files go by relative path";
  }
  const refused = layer.refusedPackages ?? [];
  const isRefused = matches(name, refused) || (builtins.test(name) && matches(`node:${name}`, refused));
  return isRefused ? `imports ${name}: ${layer.why}` : null;
}

const builtins = /^(http|http2|https)$/;

/** Whether the target is one of the private files, and the importer lies outside its owner's folder. */
function isPrivateTo(files: RegExp, importer: string, target: string): boolean {
  const owner = files.exec(target)?.groups?.["owner"];
  return owner !== undefined && !importer.startsWith(`${owner}/`);
}

function matches(path: string, globs: readonly string[]): boolean {
  return globs.some((glob) => posix.matchesGlob(path, glob));
}
