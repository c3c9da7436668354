/** A word as a POSIX shell reads it back unchanged, whatever it holds (XCU section 2.2.2). */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
