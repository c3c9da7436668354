/**
 * The form in which names compare: NFKC with case folded. Upper-casing first makes the letters that
 * have no single lower-case partner meet (sharp s and "ss", the two small sigmas).
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}
