import { readFile } from "node:fs/promises";
import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import { UsageError } from "../command.ts";
import { readAuth0, readAuth0Hashes } from "./auth0.ts";
import { readCsv } from "./csv.ts";
import { parseFirebaseParameters, readFirebase } from "./firebase.ts";
import { readKeycloak } from "./keycloak.ts";
import { readNdjson } from "./ndjson.ts";
import { readText } from "./read-text.ts";
import { readSupabase } from "./supabase.ts";

/** What the command line says beside the file of users. */
export interface ReaderOptions {
  /** The file of Auth0's password hashes. */
  readonly hashes: string | undefined;
  /** The file of Firebase's hash parameters. */
  readonly hashConfig: string | undefined;
  readonly withoutPasswords: boolean;
  /** Keycloak's roles that are taken over although they mean something here. */
  readonly keptRoles: readonly string[];
}

/** Reads the records of a file. */
type Reader = (text: AsyncIterable<string>, options: ReaderOptions) => Promise<AsyncIterable<ImportLine>>;

/** A reader for each form of files. */
const readers: Readonly<Record<string, Reader>> = {
  ndjson: (text) => Promise.resolve(readNdjson(text)),
  csv: (text) => Promise.resolve(readCsv(text)),
  keycloak: (text, options) => Promise.resolve(readKeycloak(text, options)),
  supabase: (text) => Promise.resolve(readSupabase(text)),
  auth0: async (text, { hashes }) =>
    readAuth0(text, { hashes: hashes === undefined ? new Map() : await readAuth0Hashes(readText(hashes)) }),
  async firebase(text, { hashConfig, withoutPasswords }) {
    if (hashConfig === undefined && !withoutPasswords) {
      throw new UsageError("--format firebase needs --hash-config FILE, or --without-passwords.");
    }
    return readFirebase(text, {
      parameters: hashConfig === undefined ? null : parseFirebaseParameters(await readSmallFile(hashConfig)),
    });
  },
};

/** The names of the forms. */
export const formatNames: readonly string[] = Object.keys(readers);

/**
 * Reads the records of a file.
 *
 * @param onBytes told how many bytes have been read so far
 * @throws UsageError where an option is wrong; Error with a sentence where a file cannot be read
 */
export async function readRecordsOf(
  path: string,
  format: string,
  options: ReaderOptions,
  onBytes: (bytes: number) => void,
): Promise<AsyncIterable<ImportLine>> {
  const reader = readers[format];
  if (reader === undefined) throw new UsageError(`--format must be one of ${formatNames.join(", ")}.`);
  const lines = await reader(readText(path, onBytes), options);
  return options.withoutPasswords ? withoutPasswords(lines) : lines;
}

async function* withoutPasswords(lines: AsyncIterable<ImportLine>): AsyncGenerator<ImportLine> {
  for await (const { line, record } of lines) {
    yield { line, record: "detail" in record ? record : { ...record, passwordHash: null, pepperId: null } };
  }
}

async function readSmallFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read.`, { cause: error });
  }
}
