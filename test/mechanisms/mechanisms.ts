/** A mechanism of the sessions or of the limits, how it is taken out, and the test that must notice. */
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

const guesses = "src/domain/throttle/guesses.ts";
const refreshToken = "src/domain/session/refresh-token.ts";
const decideRefresh = "src/domain/session/rotation/decide-refresh.ts";
const refreshSession = "src/domain/session/rotation/refresh-session.ts";
const sessionStore = "src/domain/session/session-store.ts";
const script = "src/domain/session/rotation/advance.lua";
const rotationState = "src/domain/session/rotation/rotation-state.ts";
const advanceSession = "src/domain/session/rotation/advance-session.ts";
const lateAnswers = "src/domain/session/rotation/late-answers.ts";
const writeBehind = "src/domain/session/rotation/write-behind.ts";
const beginSession = "src/domain/session/begin-session.ts";
const endSessions = "src/domain/session/end-sessions.ts";
const recent = "src/lib/recent.ts";

/** Every mechanism that a promise of docs/guarantees.md hangs on. */
export const mechanisms: readonly Mechanism[] = [
  {
    name: "tag check",
    file: refreshToken,
    find: "opened === null || !timingSafeEqual(opened.tag, tagOf(opened.key, opened.head, clientId))",
    replace: "opened === null",
    test: { file: "test/security/refresh-token.test.ts", name: "refused without any store being asked" },
  },
  {
    name: "client binding",
    file: refreshToken,
    find: `key.mac("refresh-token")(head, clientId)`,
    replace: `key.mac("refresh-token")(head, clientId.slice(0, 0))`,
    test: { file: "test/domain/refresh-token.test.ts", name: "is its client's alone" },
  },
  {
    name: "one spelling",
    file: "src/lib/base64.ts",
    find: "return bytes.toString(encoding) === text ? bytes : null;",
    replace: "return bytes;",
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
    find: `case "reuse":\n        await sessions.endReused(session, "reused", origin);`,
    replace: `case "reuse":`,
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
    name: "the client's registration at login",
    file: sessionStore,
    find: "and ($12::text is null or exists (select 1 from registered))",
    replace: "and ($12::text is null or true)",
    test: { file: "test/races/client-deletion.test.ts", name: "overlaps with the deletion of its client" },
  },
  {
    name: "counters that jump after a restore",
    file: "src/domain/user/user-store.ts",
    find: "greatest(session_epoch + 1, floor(extract(epoch from now()) * 1000)::bigint)",
    replace: "session_epoch + 1",
    test: {
      file: "test/faults/restored-database.test.ts",
      name: "moves the counters past all that they had been",
    },
  },
  {
    name: "counting at the end of all sessions",
    file: endSessions,
    find: "users.countUp(tx, userId),",
    replace: "",
    test: { file: "test/races/revocation.test.ts", name: "login that overlaps with the end of all sessions" },
  },
  {
    name: "liveness of an access token's session",
    file: sessionStore,
    find: "u.status = 'active' and ${liveSession}`,\n};\n\nconst findForRefresh",
    replace: "u.status = 'active'`,\n};\n\nconst findForRefresh",
    test: { file: "test/auth/logout.test.ts", name: "ends the session of the access token" },
  },
  {
    name: "the most sessions of a user",
    file: beginSession,
    find: "endOldest(tx),",
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
  {
    name: "charge taken back",
    file: guesses,
    find: 'settle(charges, isWrong ? "keep" : "refund")',
    replace: 'settle(charges, "keep")',
    test: { file: "test/races/throttle.test.ts", name: "all pass where there is room for all" },
  },
  {
    name: "charge in one step",
    file: "src/domain/throttle/gcra-charge.lua",
    find: "if next_empty - now > interval * burst then",
    replace: "if false then",
    test: { file: "test/races/throttle.test.ts", name: "limit of an address on an account" },
  },
  {
    name: "known device's own bucket",
    file: guesses,
    find: "if (refusal !== undefined) return null;",
    replace: "return null;",
    test: { file: "test/security/brute-force.test.ts", name: "has used up its logins" },
  },
  {
    name: "first attempt of an address",
    file: guesses,
    find: "if (first?.allowed === false) {",
    replace: "if (first !== null) {",
    test: { file: "test/races/throttle.test.ts", name: "one for each other address" },
  },
  {
    name: "limit of a prefix on all accounts",
    file: guesses,
    find: '["failures-address", prefix],',
    replace: "",
    test: { file: "test/security/brute-force.test.ts", name: "one password tried on many accounts" },
  },
  {
    name: "device token bound to the user's counter",
    file: "src/domain/known-device/device-tokens.ts",
    find: "`${userId} ${sessionEpoch}`",
    replace: "`${userId} ${sessionEpoch.slice(0, 0)}`",
    test: { file: "test/auth/device-token.test.ts", name: "dies when the password changes" },
  },
  {
    name: "what PostgreSQL knows, in the script",
    file: script,
    find: "  state = merge(record, state)",
    replace: "  state = record",
    test: { file: "test/domain/advance-script.test.ts", name: "takes the word of PostgreSQL" },
  },
  {
    name: "memory of the script",
    file: script,
    find: `redis.call("SET", key, pack_record(state), "PX", ARGV[1])`,
    replace: "",
    test: { file: "test/domain/advance-script.test.ts", name: "decides as the functions do" },
  },
  {
    name: "Redis' clock in the script",
    file: script,
    find: "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)",
    replace: "local now = 1000000000000",
    test: { file: "test/domain/advance-script.test.ts", name: "by Redis' own clock" },
  },
  {
    name: "Postgres where Redis does not answer",
    file: advanceSession,
    find: "if (!isUnavailable(error)) throw error;",
    replace: "throw error;",
    test: { file: "test/faults/redis-away.test.ts", name: "while Redis cannot be reached" },
  },
  {
    name: "Postgres alone without a grace",
    file: advanceSession,
    find: "if (options.graceMs > 0) {",
    replace: "if (options.graceMs >= 0) {",
    test: { file: "test/auth/refresh-replay.test.ts", name: "though Redis forgets at once" },
  },
  {
    name: "write-behind",
    file: writeBehind,
    find: "if (unsaved.length === 0) return;",
    replace: "if (unsaved.length >= 0) return;",
    test: { file: "test/faults/write-behind.test.ts", name: "at SIGTERM" },
  },
  {
    name: "mark of what is unsaved",
    file: script,
    find: `redis.call("ZADD", shard, now, words[9])`,
    replace: "",
    test: {
      file: "test/faults/write-behind.test.ts",
      name: "by another instance when the one that moved it is killed",
    },
  },
  {
    name: "sweeper",
    file: "src/domain/session/rotation/sweep-unsaved.ts",
    find: "if (batch.unsaved.length > 0) await save(batch);",
    replace: "",
    test: {
      file: "test/faults/write-behind.test.ts",
      name: "by another instance when the one that moved it is killed",
    },
  },
  {
    name: "merge: the higher generation wins",
    file: rotationState,
    find: "other.generation > one.generation ? [other, one] : [one, other]",
    replace: "other.generation > one.generation ? [one, other] : [one, other]",
    test: { file: "test/domain/rotation-state.test.ts", name: "the higher generation" },
  },
  {
    name: "merge: the earlier time of a rotation wins",
    file: rotationState,
    find: "Math.max(...known)",
    replace: "Math.min(...known)",
    test: { file: "test/domain/rotation-state.test.ts", name: "the earlier time of each rotation" },
  },
  {
    name: "divergence at a refresh",
    file: script,
    find: "if have_diverged(record, state, grace) then",
    replace: "if false then",
    test: { file: "test/faults/redis-away.test.ts", name: "when the two meet at a refresh" },
  },
  {
    name: "divergence in the background",
    file: "src/domain/session/rotation/postgres-rotation-store.ts",
    find: "diverged: haveDiverged(inRedis, inPostgres, row.graceMs)",
    replace: "diverged: haveDiverged(inRedis, inPostgres, row.graceMs) && false",
    test: { file: "test/faults/redis-away.test.ts", name: "when the two meet in the background" },
  },
  {
    name: "late answers",
    file: decideRefresh,
    find: 'return isLate ? "late" : "reuse";',
    replace: 'return isLate ? "reuse" : "reuse";',
    test: { file: "test/domain/decide-refresh.test.ts", name: "with late answers, after the grace" },
  },
  {
    name: "late answers in the script",
    file: script,
    find: 'return is_late and "late" or "reuse"',
    replace: 'return "reuse"',
    test: { file: "test/domain/advance-script.test.ts", name: "decides as the functions do" },
  },
  {
    name: "late answers, to the parent alone",
    file: decideRefresh,
    find: "behind === 1n && graceMs > 0",
    replace: "graceMs > 0",
    test: { file: "test/domain/decide-refresh.test.ts", name: "with late answers, after the grace" },
  },
  {
    name: "late answers, none without a grace",
    file: decideRefresh,
    find: "behind === 1n && graceMs > 0",
    replace: "behind === 1n",
    test: { file: "test/domain/decide-refresh.test.ts", name: "without a grace there are no late answers" },
  },
  {
    name: "late answers, never twice in a row",
    file: lateAnswers,
    find: "lateFrom: generation + 2n",
    replace: "lateFrom: generation + 1n",
    test: { file: "test/auth/late-answers.test.ts", name: "who take turns are told apart" },
  },
  {
    name: "late answers, once",
    file: lateAnswers,
    find: "const isLimited = await store.limitLate(tx, limit);",
    replace: "const isLimited = limit !== null;",
    test: { file: "test/auth/late-answers.test.ts", name: "is answered once" },
  },
  {
    name: "late answers, not where the successor was shown",
    file: lateAnswers,
    find: "if (lateFrom > generation) return;",
    replace: "if (lateFrom >= 0n) return;",
    test: { file: "test/auth/late-answers.test.ts", name: "whose successor was shown" },
  },
  {
    name: "late answers, where they are on",
    file: advanceSession,
    find: "return lateAnswers ? lateFrom : null;",
    replace: "return lateAnswers ? lateFrom : lateFrom;",
    test: { file: "test/auth/late-answers.test.ts", name: "is reuse where late answers are off" },
  },
  {
    name: "grace binding",
    file: refreshSession,
    find: "return !refused;",
    replace: "return true;",
    test: { file: "test/security/grace-binding.test.ts", name: "is refused where the grace is bound" },
  },
  {
    name: "age of what is remembered of a session",
    file: recent,
    find: "now - askedAtMs < ageMaxMs",
    replace: "now - askedAtMs < 60 * ageMaxMs",
    test: { file: "test/security/liveness-age.test.ts", name: "everywhere else within a second" },
  },
  {
    name: "forgetting what this process ends",
    file: recent,
    find: "forgotten.get(subject)?.order ?? 0",
    replace: 'forgotten.get("")?.order ?? 0',
    test: {
      file: "test/security/liveness-age.test.ts",
      name: "refused at once by the instance that ended it",
    },
  },
  {
    name: "forgetting a client that this process changes",
    file: "src/domain/client/clients.ts",
    find: "recent.forget(id);",
    replace: "",
    test: { file: "test/security/client-age.test.ts", name: "refused at once by the instance that did it" },
  },
  {
    name: "a client's secret that is new",
    file: "src/domain/client/clients.ts",
    find: "const found = await ask(id);",
    replace: "const found = await (recent.find(id) ?? ask(id));",
    test: { file: "test/security/client-age.test.ts", name: "are taken at once everywhere" },
  },
];
