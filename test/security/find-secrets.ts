/** Something that must be found nowhere. */
export interface Secret {
  readonly name: string;
  readonly value: Buffer;
}

/** A text, or bytes, in which secrets are looked for. */
export interface Place {
  readonly name: string;
  readonly content: Buffer;
}

/** @param value text stands for its UTF-8 */
export function secret(name: string, value: string | Buffer): Secret {
  return { name, value: Buffer.from(value as string) };
}

/**
 * Looks for secrets as they are, and in the forms that programs give them: hexadecimal in either case,
 * base64 and base64url without padding, percent-encoded, and in JSON.
 *
 * @returns `secret (form) in place` for each one found
 */
export function findSecrets(secrets: readonly Secret[], places: readonly Place[]): string[] {
  return places.flatMap(({ name: place, content }) =>
    secrets.flatMap(({ name, value }) =>
      Object.entries(formsOf(value))
        .filter(([, form]) => content.includes(form))
        .map(([form]) => `${name} (${form}) in ${place}`),
    ),
  );
}

function formsOf(value: Buffer): Record<string, Buffer | string> {
  const text = value.toString("utf8");
  const hex = value.toString("hex");
  const base64 = value.toString("base64").replace(/=+$/, "");
  return {
    raw: value,
    hex,
    "upper-case hex": hex.toUpperCase(),
    base64,
    base64url: value.toString("base64url"),
    "percent-encoded": encodeURIComponent(text.toWellFormed()),
    form: new URLSearchParams({ x: text }).toString().slice(2),
    JSON: JSON.stringify(text).slice(1, -1),
  };
}
