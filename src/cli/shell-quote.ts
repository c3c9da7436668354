/** Quotes a word for a POSIX shell, whatever it contains (XCU section 2.2.2). */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
