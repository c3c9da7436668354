/** NFC makes the bytes of a text fewer by a factor of at most 3.5 (a test finds the worst of all). */
const shrinkFactorMax = 4;
/** A canonical decomposition has at most four characters: one starter, and what goes into it. */
const absorbedBytesMax = 3 * 4;
const marks = /\p{M}+/gu;

/**
 * Normalizes a text to NFC (UAX #15), and bounds its work first. Putting the marks of one letter in order takes
 * quadratic time, so that nothing is normalized whose result is sure to be too long.
 *
 * @param bytesMax the most bytes of UTF-8 that the result may have
 * @returns null if it would have more
 */
export function normalizeNfc(text: string, bytesMax: number): string | null {
  const rawBytesMax = shrinkFactorMax * bytesMax;
  if (text.length > rawBytesMax || Buffer.byteLength(text) > rawBytesMax) return null;
  if (leastMarkBytes(text) > bytesMax) return null;
  const normal = text.normalize("NFC");
  return Buffer.byteLength(normal) > bytesMax ? null : normal;
}

/** The least number of bytes of marks that are left in NFC, however many combine with letters. Takes linear time. */
function leastMarkBytes(text: string): number {
  let bytes = 0;
  for (const [run] of text.matchAll(marks)) {
    let ofOneLetter = 0;
    for (const mark of run) {
      const own = nonStarterBytes(mark);
      if (own > 0) ofOneLetter += own;
      else {
        bytes += Math.max(0, ofOneLetter - absorbedBytesMax);
        ofOneLetter = 0;
      }
    }
    bytes += Math.max(0, ofOneLetter - absorbedBytesMax);
  }
  return bytes;
}

/** Of one mark each: there are about 2,500. */
const known = new Map<string, number>();
/** The highest canonical combining class: what has a lower one goes before it, and a starter does not. */
const lastMark = "\u0345";

/** The bytes of a mark that takes part in the ordering; 0 for a starter, such as a vowel sign. */
function nonStarterBytes(mark: string): number {
  const found = known.get(mark);
  if (found !== undefined) return found;
  const isNonStarter = mark === lastMark || !(lastMark + mark).normalize("NFD").startsWith(lastMark);
  const bytes = isNonStarter ? Buffer.byteLength(mark.normalize("NFC")) : 0;
  known.set(mark, bytes);
  return bytes;
}
