import type { TestService } from "./service.ts";

/** A service's metrics, as Prometheus reads them. */
export async function readMetrics({ opsUrl }: Pick<TestService, "opsUrl">): Promise<string> {
  return (await fetch(`${opsUrl}/metrics`)).text();
}

/** The value of one series of a service's metrics, named with its labels; NaN where it is not there. */
export async function readMetric(service: Pick<TestService, "opsUrl">, series: string): Promise<number> {
  const line = (await readMetrics(service))
    .split("\n")
    .find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}
