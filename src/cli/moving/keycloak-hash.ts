import { isObject, type JsonObject, parseObject, RowError, textOf } from "./row-error.ts";

/** Keycloak's names of PBKDF2, and those of PHC strings. */
const pbkdf2Names: Readonly<Record<string, string>> = {
  pbkdf2: "pbkdf2-sha1",
  "pbkdf2-sha256": "pbkdf2-sha256",
  "pbkdf2-sha512": "pbkdf2-sha512",
};

/**
 * The hash of a user's password, as a PHC string; null for who has none, such as who signs in by another provider.
 *
 * @throws RowError where its algorithm is not known
 */
export function readKeycloakHash(user: JsonObject): string | null {
  const credentials: unknown = user["credentials"] ?? [];
  if (!Array.isArray(credentials)) throw new RowError("credentials", "wrong_type", "must be a list");
  const password = credentials.filter(isObject).find(({ type }) => type === "password");
  if (password === undefined) return null;
  // Keycloak keeps both as JSON in texts.
  const secret = parseObject(textOf(password, "secretData") ?? "{}");
  const data = parseObject(textOf(password, "credentialData") ?? "{}");
  const [hash, salt] = [textOf(secret, "value"), textOf(secret, "salt")].map((text) =>
    text?.replace(/=+$/, ""),
  );
  const phc = prefixOf(data);
  if (phc === null) throw new RowError("credentials", "invalid", "have an algorithm that is not known");
  if (hash === undefined || salt === undefined) throw new RowError("credentials", "invalid", "have no hash");
  return `${phc}$${salt}$${hash}`;
}

function prefixOf({ algorithm, hashIterations, additionalParameters }: JsonObject): string | null {
  const iterations = Number(hashIterations);
  const pbkdf2 = pbkdf2Names[String(algorithm)];
  if (pbkdf2 !== undefined) return `$${pbkdf2}$i=${iterations}`;
  if (algorithm !== "argon2" || !isObject(additionalParameters)) return null;
  const [type, version, memory, lanes] = ["type", "version", "memory", "parallelism"].map((name) =>
    firstOf(additionalParameters[name]),
  );
  if (version !== "1.3") return null;
  return `$argon2${type}$v=19$m=${memory},t=${iterations},p=${lanes}`;
}

/** Its parameters have lists of one value. */
function firstOf(value: unknown): string {
  return String(Array.isArray(value) ? value[0] : value);
}
