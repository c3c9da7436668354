// Both readings of an escape agree: RE2's, and JavaScript's with the flag u.
const escape = String.raw`\\x[0-9a-fA-F]{2}|\\[\\.^$*+?()[\]{}|/]`;
const inClass = String.raw`(?:[\w !"#$%&'()*+,./:;<=>?@{|}~\x60-]|\\-|${escape})`;
const single = String.raw`(?:[\w !"#%&',/:;<=>@~\x60-]|${escape}|\[\^?${inClass}+\])`;
const atomForm = new RegExp(String.raw`${single}([*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})?`, "uy");
const exactForm = /^\{[0-9]+\}$/;

/**
 * A regular expression of RE2 as one of JavaScript, if it is so plain that both understand it alike and match it in
 * linear time: characters and classes in a row. Behind a `^` they may have counts, one of them a count that varies.
 *
 * @returns null for every other expression
 */
export function compilePattern(source: string): RegExp | null {
  const start = source.startsWith("^") ? 1 : 0;
  const end = source.endsWith("$") && !source.endsWith("\\$") ? source.length - 1 : source.length;
  let varying = 0;
  for (let at = start; at < end; at = atomForm.lastIndex) {
    atomForm.lastIndex = at;
    const atom = atomForm.exec(source);
    if (atom === null || atomForm.lastIndex > end) return null;
    const count = atom[1];
    if (count === undefined) continue;
    if (start === 0) return null;
    if (!exactForm.test(count)) varying++;
  }
  if (varying > 1) return null;
  try {
    return new RegExp(source, "u");
  } catch {
    // A range that is upside down, for one.
    return null;
  }
}
