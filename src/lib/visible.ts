/**
 * Control characters (C0, C1, DEL), line and paragraph separators, marks that turn or isolate the direction of
 * writing, tags and halves of surrogate pairs: what would let a value draw on a terminal, hide, or break a line.
 */
const drawing = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

/** A text with these characters as escapes, which mean the same inside a JSON string. */
export function visible(text: string): string {
  return text.replaceAll(drawing, (char) =>
    Array.from({ length: char.length }, (_, index) => {
      const unit = char.charCodeAt(index).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
}

/** The same for text of several lines. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}
