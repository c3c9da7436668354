/** A mechanism of the sessions, how it is taken out, and the test that must notice. */
export interface Mechanism {
  readonly name: string;
  /** The file in which it is, from the checkout's root. */
  readonly file: string;
  /** The text that is replaced. It must be there exactly once, so that this list stays in step. */
  readonly find: string;
  readonly replace: string;
  /** The test file, and the beginning or a part of the full names of its tests. */
  readonly test: { readonly file: string; readonly name: string };
}

const refreshToken = "src/domain/session/refresh-token.ts";
const decideRefresh = "src/domain/session/decide-refresh.ts";
const refreshSession = "src/domain/session/refresh-session.ts";
const sessionStore = "src/domain/session/session-store.ts";

/** Every mechanism that a promise of docs/guarantees.md hangs on. */
export const mechanisms: readonly Mechanism[] = [
  {
    name: "tag check",
    file: refreshToken,
    find: "if (!timingSafeEqual(tag, tagOf(key, head, clientId))) return null;",
    replace: "",
    test: { file: "test/security/refresh-token.test.ts", name: "refused without any store being asked" },
  },
  {
    name: "client binding",
    file: refreshToken,
    find: ".update(head).update(clientId).digest()",
    replace: `.update(head).update(clientId.slice(0, 0)).digest()`,
    test: { file: "test/domain/refresh-token.test.ts", name: "is its client's alone" },
  },
  {
    name: "one spelling",
    file: refreshToken,
    find: `if (bytes.toString("base64url") !== body) return null;`,
    replace: "",
    test: { file: "test/domain/refresh-token.test.ts", name: "when any one bit of its text has changed" },
  },
  {
    name: "grace",
    file: decideRefresh,
    find: "graceMs > 0 && ageMs < graceMs",
    replace: "graceMs > 0 && ageMs < 0",
    test: { file: "test/faults/lost-answers.test.ts", name: "retried within the grace" },
  },
  {
    name: "end of the grace",
    file: decideRefresh,
    find: "graceMs > 0 && ageMs < graceMs",
    replace: "graceMs > 0",
    test: { file: "test/auth/refresh-replay.test.ts", name: "is refused, and ends its session" },
  },
  {
    name: "four rotations within one grace",
    file: decideRefresh,
    find: "rotationAgesMs.length >= rememberedRotations && isInGrace(oldest)",
    replace: "rotationAgesMs.length < 0 && isInGrace(oldest)",
    test: { file: "test/auth/refresh-replay.test.ts", name: "rotated four times at most" },
  },
  {
    name: "atomicity of the rotation",
    file: sessionStore,
    find: "s.generation = $2 and",
    replace: "$2::bigint is not null and",
    test: { file: "test/races/refresh.test.ts", name: "are all answered, with one successor" },
  },
  {
    name: "ending on reuse",
    file: refreshSession,
    find: "await store.endByHandle(session.handleHash);",
    replace: "",
    test: { file: "test/auth/refresh-replay.test.ts", name: "is refused, and ends its session" },
  },
  {
    name: "catching up",
    file: decideRefresh,
    find: `if (presented > current) return "catch_up";`,
    replace: `if (presented > current) return "reuse";`,
    test: { file: "test/auth/refresh-replay.test.ts", name: "the store lost a write, and catches up" },
  },
  {
    name: "counter comparison at login",
    file: sessionStore,
    find: "session_epoch = $4 and",
    replace: "$4::bigint is not null and",
    test: { file: "test/races/revocation.test.ts", name: "login that overlaps with the end of all sessions" },
  },
  {
    name: "counting at the end of all sessions",
    file: sessionStore,
    find: "await tx.query(countUp, [userId]);",
    replace: "",
    test: { file: "test/races/revocation.test.ts", name: "login that overlaps with the end of all sessions" },
  },
  {
    name: "liveness of an access token's session",
    file: sessionStore,
    find: "u.status = 'active' and ${live}`,\n};\n\nconst findForRefresh",
    replace: "u.status = 'active'`,\n};\n\nconst findForRefresh",
    test: { file: "test/auth/logout.test.ts", name: "ends the session of the access token" },
  },
  {
    name: "the most sessions of a user",
    file: sessionStore,
    find: "await end(tx, endOldest, [session.userId, session.perUserMax], record.ended);",
    replace: "",
    test: { file: "test/auth/sessions.test.ts", name: "ends the oldest session with one login too many" },
  },
  {
    name: "the end of a session limits its access tokens",
    file: "src/domain/token/access-token.ts",
    find: "Math.min(lastsUntil, grant.session?.expiresAt ?? lastsUntil)",
    replace: "lastsUntil",
    test: { file: "test/auth/refresh.test.ts", name: "never lets an access token outlive its session" },
  },
];
