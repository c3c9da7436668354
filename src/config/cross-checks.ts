import type { Reading } from "./read-values.ts";

/** Whether NODE_ENV, DATABASE_URL or an https issuer make this a production start. */
export function isProduction({ values, given }: Pick<Reading, "values" | "given">): boolean {
  return (
    values.NODE_ENV === "production" ||
    // A malformed address still shows the intent.
    given.has("DATABASE_URL") ||
    values.ISSUER?.startsWith("https:") === true
  );
}

/** The problems of variables that are each valid alone, but not together. */
export function crossCheck(reading: Reading): string[] {
  return [...missing(reading), ...contradictions(reading)];
}

function missing(reading: Reading): string[] {
  const { values, given } = reading;
  const problems: string[] = [];
  if (isProduction(reading)) {
    const because = "in production (NODE_ENV=production, DATABASE_URL set, or an https ISSUER)";
    for (const name of ["SECRET_KEY", "ISSUER"] as const) {
      if (!given.has(name)) problems.push(`${name} is required ${because}.`);
    }
  } else if (values.PORT === 0 && !given.has("ISSUER")) {
    problems.push("ISSUER is required with PORT=0.");
  }
  if (given.has("TLS_CERT_FILE") !== given.has("TLS_KEY_FILE")) {
    problems.push("TLS_CERT_FILE and TLS_KEY_FILE must be set together.");
  }
  return problems;
}

function contradictions({ values }: Reading): string[] {
  const { PORT = 0, SESSION_IDLE_TTL = 0, SESSION_MAX_TTL = 0 } = values;
  const { ARGON2_MEMORY_KIB = 0, ARGON2_ITERATIONS = 0, ARGON2_PARALLELISM = 0 } = values;
  const problems: string[] = [];
  if (PORT !== 0 && PORT === values.OPS_PORT) problems.push("PORT and OPS_PORT must differ.");
  if (SESSION_IDLE_TTL > SESSION_MAX_TTL) {
    problems.push("SESSION_IDLE_TTL must not be longer than SESSION_MAX_TTL.");
  }
  if (values.CORS_ORIGINS === "*" && values.AUTH_COOKIES === true) {
    problems.push(
      "CORS_ORIGINS must list its origins while AUTH_COOKIES is on; * would hand cookies to all.",
    );
  }
  // RFC 9106 section 3.1: at least eight blocks of 1 KiB for each lane.
  if (ARGON2_MEMORY_KIB < 8 * ARGON2_PARALLELISM) {
    problems.push("ARGON2_MEMORY_KIB must be at least eight times ARGON2_PARALLELISM.");
  }
  // Stored hashes that cost more are not run.
  if (ARGON2_MEMORY_KIB * ARGON2_ITERATIONS > 8_388_608) {
    problems.push("ARGON2_MEMORY_KIB times ARGON2_ITERATIONS must be at most 8388608 (8 GiB).");
  }
  return problems;
}
