import type { TestService } from "./service.ts";

/** The value of one series of a service's metrics, named with its labels; NaN where it is not there. */
export async function readMetric({ opsUrl }: Pick<TestService, "opsUrl">, series: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1));
}
