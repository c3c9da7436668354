import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../_harness/eventually.ts";
import { readMetric, readMetrics } from "../_harness/metrics.ts";
import type { TestDatabase } from "../_harness/postgres.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { createSharedDatabase } from "../_harness/shared-stores.ts";
import { openSql } from "../_harness/sql.ts";
import { makeCertificates, type TestCertificates } from "../http/certificates.ts";

const expiry = 'countersign_tls_certificate_expiry_timestamp_seconds{listener="public"}';

let certificates: TestCertificates;
let database: TestDatabase;
let service: TestService;
beforeAll(async () => {
  certificates = await makeCertificates("first");
  database = await createSharedDatabase();
  const admin = await openSql(database.url);
  // In place of PostgreSQL's own, for sessions that look here first.
  await admin.query(`create function public.clock_timestamp() returns timestamptz language sql
    return pg_catalog.clock_timestamp() + interval '2 minutes'`);
  await admin.end();
  const options = encodeURIComponent("-c search_path=public,pg_catalog");
  const { certFile, keyFile } = certificates;
  service = await startService({
    env: {
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      DATABASE_URL: `${database.url}&options=${options}`,
    },
  });
}, 120_000);
afterAll(async () => {
  await service.stop();
  await database.drop();
  await certificates.remove();
});

async function endOfCurrent(): Promise<number> {
  return new X509Certificate(await certificates.current()).validToDate.getTime() / 1000;
}

test("the metrics tell when the certificate in use ends, and follow it when it is renewed", async () => {
  const first = await endOfCurrent();
  expect(await readMetric(service, expiry)).toBe(first);
  await certificates.swap("second");
  const second = await endOfCurrent();
  expect(second).toBeGreaterThan(first);
  await eventually(async () => (await readMetric(service, expiry)) === second, 60_000);
  // What cannot be used is not in use.
  await certificates.spoil();
  await eventually(() => service.output().includes("the new TLS certificate cannot be used"), 60_000);
  expect(await readMetric(service, expiry)).toBe(second);
});

test("the metrics tell how far PostgreSQL's clock is ahead", async () => {
  const skew = await readMetric(service, "countersign_clock_skew_seconds");
  expect(Math.abs(skew - 120)).toBeLessThan(10);
});

test("a service without TLS has no certificate that could end", async () => {
  const plain = await startService();
  try {
    expect(await readMetrics(plain)).not.toContain("countersign_tls_certificate_expiry_timestamp_seconds{");
  } finally {
    await plain.stop();
  }
});
