import type { Queryable } from "../../postgres/pool.ts";
import { fail, type Finding, ok, warn } from "./finding.ts";

const name = "database";
const pings = 3;
const pingGoodMs = 20;
const skewGoodMs = 5_000;
/** The clock skew that verifiers of tokens should allow. */
const skewMaxMs = 60_000;

interface ServerRow {
  readonly version: string;
  readonly readOnly: boolean;
}

const server = {
  name: "doctor.server",
  text: `select current_setting('server_version') as version,
    current_setting('transaction_read_only') = 'on' as "readOnly"`,
};
const clock = {
  name: "doctor.clock",
  text: "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
};

/** The server: its version, speed and clock. */
export async function inspectServer(db: Queryable): Promise<Finding[]> {
  const [row] = await db.query<ServerRow>(server);
  if (row === undefined) throw new Error("the server returned no row about itself");
  const { pingMs, skewMs } = await measure(db);
  return [describeAnswer(row, pingMs), describeClock(skewMs)];
}

function describeAnswer({ version, readOnly }: ServerRow, pingMs: number): Finding {
  const answer = `PostgreSQL ${version} answers in ${pingMs.toFixed(1)} ms`;
  if (readOnly) return fail(name, `${answer}, and is read-only`, "name the primary in DATABASE_URL");
  if (pingMs <= pingGoodMs) return ok(name, `${answer}, and takes writes`);
  return warn(
    name,
    `${answer}, and takes writes`,
    "run the service near its database: a login needs three round trips to it",
  );
}

function describeClock(skewMs: number): Finding {
  const found = `it differs from the database's by ${(Math.abs(skewMs) / 1000).toFixed(1)} s`;
  if (Math.abs(skewMs) <= skewGoodMs) return ok("clock", found);
  const mend = "synchronise both machines by NTP: tokens use the database's clock";
  return Math.abs(skewMs) <= skewMaxMs ? warn("clock", found, mend) : fail("clock", found, mend);
}

/** The quickest of a few answers, which shows the latency best. */
async function measure(db: Queryable): Promise<{ pingMs: number; skewMs: number }> {
  let best = { pingMs: Number.POSITIVE_INFINITY, skewMs: 0 };
  for (let count = 0; count < pings; count += 1) {
    const [sentAt, startedAt] = [Date.now(), performance.now()];
    const [row] = await db.query<{ ms: number }>(clock);
    const pingMs = performance.now() - startedAt;
    if (pingMs < best.pingMs) best = { pingMs, skewMs: (row?.ms ?? 0) - sentAt - pingMs / 2 };
  }
  return best;
}
