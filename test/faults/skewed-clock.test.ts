import { expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import * as given from "../_harness/given.ts";
import { readMetric } from "../_harness/metrics.ts";
import { bearerOf, send } from "../_harness/rest.ts";
import { startService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";

// PostgreSQL's clock cannot be set. What asks it for the time can be given another one.
const skewed = (seconds: number): string => `
  create schema skewed;
  create function skewed.now() returns timestamptz stable language sql
    as $$ select pg_catalog.now() + ${seconds} * interval '1 second' $$;
  create function skewed.clock_timestamp() returns timestamptz volatile language sql
    as $$ select pg_catalog.clock_timestamp() + ${seconds} * interval '1 second' $$;
  do $$ begin
    execute format('alter database %I set search_path = skewed, pg_catalog, public', current_database());
  end $$`;

test.each([7_200, -7_200])(
  "with the database's clock %d s away, bearers are served, and health, log and metric tell it",
  async (seconds) => {
    const database = await createSharedDatabase();
    const sql = await openSql(database.url);
    await sql.query(skewed(seconds));
    await sql.end();
    const service = await startService({ env: { DATABASE_URL: database.url } });
    try {
      const { access_token } = await given.session(service, { user: service.admin });
      const me = await send(`${service.url}/auth/me`, {
        headers: bearerOf(access_token),
      });
      expect(me.status).toBe(200);
      const skew = await readMetric(service, "countersign_clock_skew_seconds");
      expect(Math.abs(skew - seconds)).toBeLessThan(5);
      await eventually(async () => {
        const { text } = await send(`${service.opsUrl}/healthz?verbose`);
        return text.includes("[-]clock failed: differs from the database's clock (does not gate readiness)");
      });
      expect(service.logs()).toContainEqual(
        expect.objectContaining({
          level: "warn",
          check: "clock",
          failure: "differs from the database's clock",
        }),
      );
      expect((await send(`${service.opsUrl}/readyz`)).status).toBe(200);
    } finally {
      await service.stop();
      await database.drop();
    }
  },
);
