/**
 * The files that take longest, the longest first. One that began last would keep the run waiting alone.
 * A name that is not there does no harm, nor does a long file that is missing.
 */
const longest = [
  "web/reference-page",
  "faults/health-words",
  "races/secret-key-rollout",
  "races/session-topologies",
  "web/pages",
  "races/refresh",
  "start/first-start",
  "security/held-by-attackers",
  "faults/write-behind",
  "http/drain",
  "protocol/every-outcome",
  "faults/redis-away",
  "faults/database-health",
  "redis/redis",
  "faults/postgres-away",
  "token/key-rotation-load",
  "toolchain/container",
  "clients/browser-cookies",
  "postgres/pgbouncer",
  "faults/restored-database",
  "token/key-rotation",
  "token/signing-keys",
  "http/tls",
  "security/liveness-age",
  "start/preconditions",
  "throttle/store-away",
  "protocol/unreadable-messages",
  "cli/client-commands",
  "ops/metrics",
  "audit/follow",
  "postgres/places",
  "faults/killed-service",
  "security/grace-binding",
  "cli/doctor",
  "cli/key-commands",
  "start/replicas",
];

/** When the files of a run begin: the long ones first, then by their size. Jest asks for a class. */
export default class LongestFirst {
  sort(tests) {
    return inOrder(tests);
  }

  shard(tests, { shardIndex, shardCount }) {
    return inOrder(tests).filter((_test, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}

function inOrder(tests) {
  const rank = ({ path }) => {
    const index = longest.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
    return index === -1 ? longest.length : index;
  };
  const size = ({ path, context }) => context.hasteFS.getSize(path) ?? 0;
  return tests.toSorted((one, other) => rank(one) - rank(other) || size(other) - size(one));
}
