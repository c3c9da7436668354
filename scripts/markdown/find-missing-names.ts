import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";

/** A name in a page that leads nowhere, with its line (from 1). */
export interface MissingName {
  readonly line: number;
  readonly name: string;
}

const link = /\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g;
// A path counts as one of this repository's if it begins with one of its folders; `<noun>`, `…` and `*` are patterns.
const path = /`((?:src|test|docs|proto|scripts|bench|bin|deploy|third_party)\/[^\s`]*)`/g;
const script = /npm run (?:--silent |-s )?([a-z][a-z0-9:-]*)(?![a-z0-9:<-])/g;

/**
 * Finds the names in a page that do not exist.
 *
 * @param root the repository's root
 * @param page the page's path from there
 * @param scripts the scripts of package.json
 */
export function findMissingNames(
  root: string,
  page: string,
  text: string,
  scripts: readonly string[],
): MissingName[] {
  return text.split("\n").flatMap((content, index) => {
    const named = (pattern: RegExp) => [...content.matchAll(pattern)].map(([, name = ""]) => name);
    const missing = [
      ...named(link).filter((name) => !existsSync(join(root, dirname(page), decodeURI(name)))),
      ...named(path).filter((name) => !isInTree(root, name)),
      ...named(script)
        .filter((name) => !scripts.includes(name))
        .map((name) => `npm run ${name}`),
    ];
    return missing.map((name) => ({ line: index + 1, name }));
  });
}

function isInTree(root: string, name: string): boolean {
  const bare = name.replace(/[.,;:]$/, "");
  if (bare.includes("…") || bare.includes("$")) return true;
  const pattern = bare.replaceAll(/<[^>]+>/g, "*");
  return existsSync(join(root, pattern)) || globSync(pattern, { cwd: root }).length > 0;
}
