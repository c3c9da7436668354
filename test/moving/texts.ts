import type { ImportLine } from "../../src/domain/user/moving/import-users.ts";

/** A text in parts of so many characters: what a reader makes of it must not depend on where they end. */
export async function* inParts(text: string, chars: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += chars) yield Promise.resolve(text.slice(at, at + chars));
}

/** All that an iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Reads a text in parts of 1, 7 and all characters, and expects the same each time. */
export async function readInParts(
  read: (text: AsyncIterable<string>) => AsyncIterable<ImportLine>,
  text: string,
): Promise<ImportLine[]> {
  const whole = await all(read(inParts(text, text.length || 1)));
  for (const chars of [1, 7]) {
    const found = JSON.stringify(await all(read(inParts(text, chars))));
    if (found !== JSON.stringify(whole)) {
      throw new Error(`in parts of ${chars} characters it reads otherwise`);
    }
  }
  return whole;
}
