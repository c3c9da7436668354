/** Names of fields that hold secrets, in lower case and without separators. */
const secretNames: ReadonlySet<string> = new Set([
  "password",
  "currentpassword",
  "newpassword",
  "passwordhash",
  "pepper",
  "phc",
  "clientsecret",
  "secret",
  "secretkey",
  "privatekey",
  "token",
  "devicetoken",
  "accesstoken",
  "refreshtoken",
  "authorization",
  "cookie",
  "setcookie",
  "url",
  "databaseurl",
  "redisurl",
]);

const censor = "[redacted]";
const depthMax = 6;

/**
 * The fields of a log line without secrets. Secrets are found by name, at any depth. Addresses
 * count as secrets, since they can hold a password or a query. Errors are left to their serializer.
 */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return redactFields(fields, 1);
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    result[name] = isSecretName(name) ? censor : redactValue(value, depth);
  }
  return result;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || Error.isError(value)) return value;
  // Bytes are unreadable in a log, and may be a key.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value;
  if (depth >= depthMax) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactFields(value, depth + 1);
}

function isSecretName(name: string): boolean {
  return secretNames.has(name) || secretNames.has(name.toLowerCase().replaceAll(/[_-]/g, ""));
}
