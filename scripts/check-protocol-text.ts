// Protocol text is read by exact grammars (src/lib/http-text.ts, src/lib/base64.ts), not by JavaScript's lenient functions.
// Usage: node scripts/check-protocol-text.ts [root]; the root is the current folder by default.
// If a line handles no caller's text, the line above it says so: `// our own text: why`.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2] ?? ".";
const ownText = /^\s*\/\/ our own text: \S/;
const refused: readonly (readonly [RegExp, string])[] = [
  [/\.trim(?:Start|End)?\(/, "trim takes U+00A0 and the like: use trimOws"],
  [/\\[sS]/, "\\s takes U+00A0 and the like: name the characters"],
  [
    /\/[dgimsuvy]*(?:[uv][dgimsuvy]*i|i[dgimsuvy]*[uv])[dgimsuvy]*[.,;)]/,
    "a pattern with the flags i and u takes U+017F for s, U+212A for k",
  ],
  [/\.to(?:Locale)?(?:Lower|Upper)Case\(/, "letters beyond ASCII have a case too: use lowerAscii"],
  [/\bparse(?:Int|Float)\(/, "what follows the number is passed over: match it first, then use Number"],
  [
    /(?:\.from|atob|fromBase64)\((?:[^()]|\([^()]*\))*"base64(?:url)?"/,
    "Node decodes base64 leniently: use decodeBase64Url",
  ],
  [/\b(?:atob|base64Decode)\(/, "base64 is decoded leniently: use decodeBase64Url"],
];

let found = 0;
const paths = globSync("src/{http,api,transcoding}/**/*.ts", { cwd: root });
for (const path of paths.toSorted()) {
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:\*|\/[/*])/.test(line) || ownText.test(lines[index - 1] ?? "")) continue;
    for (const [pattern, why] of refused) {
      if (!pattern.test(line)) continue;
      console.error(`${path}:${index + 1} ${why}`);
      found += 1;
    }
  }
}
process.exitCode = found > 0 ? 1 : 0;
