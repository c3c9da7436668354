import { createHash } from "node:crypto";

/** A secret of the service that is mixed into hashes, so that the database alone yields none to guess at. */
export interface Pepper {
  /** Eight hexadecimal digits that say nothing useful about the secret. */
  readonly id: string;
  readonly secret: Buffer;
}

/** The list of PASSWORD_PEPPER. */
export interface Peppers {
  /** What new hashes are made with; null for no pepper. */
  readonly current: Pepper | null;
  /** @returns undefined for an id that is not in the list */
  find(id: string | null): Pepper | null | undefined;
}

/** @param secrets in the order of PASSWORD_PEPPER; none for no pepper */
export function createPeppers(secrets: readonly string[]): Peppers {
  const peppers = secrets.map((text): Pepper => {
    const id = createHash("sha256").update(`countersign/v1/pepper-id:${text}`).digest("hex").slice(0, 8);
    return { id, secret: Buffer.from(text) };
  });
  const byId = new Map<string | null, Pepper | null>(peppers.map((pepper) => [pepper.id, pepper]));
  byId.set(null, null);
  return { current: peppers[0] ?? null, find: (id) => byId.get(id) };
}
