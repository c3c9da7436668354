import type { CheckReport } from "./check-loop.ts";
import type { Health, Readiness } from "./health.ts";

/** A probe's answer, for any HTTP listener to send. */
export interface ProbeAnswer {
  readonly status: 200 | 503;
  readonly contentType: "text/plain; charset=utf-8";
  readonly cacheControl: "no-store";
  readonly body: string;
}

/** How much detail a listener may show. */
export interface ProbeOptions {
  /** True only on the private listener: adds /startupz, and the list of checks for `?verbose`. */
  readonly detail: boolean;
}

/** The part of health that probes ask. */
export type ProbedHealth = Pick<Health, "livez" | "startupz" | "readyz" | "report">;

/**
 * Answers /livez, /readyz, /healthz and, with detail, /startupz; null for any other path.
 *
 * /healthz answers as /readyz does. With detail, `?verbose` on these two lists the checks, one a line.
 * A trailing slash is ignored. It reads the last results only, so it is quick and cannot fail.
 *
 * @param path the path without its query
 * @param query what follows the question mark; empty if nothing does
 */
export function probe(
  health: ProbedHealth,
  path: string,
  query: string,
  { detail }: ProbeOptions,
): ProbeAnswer | null {
  switch (path.endsWith("/") ? path.slice(0, -1) : path) {
    case "/livez":
      return brief(health.livez());
    case "/startupz":
      return detail ? brief(health.startupz()) : null;
    case "/readyz":
      return readiness(health, "readyz", detail && isVerbose(query));
    case "/healthz":
      return readiness(health, "healthz", detail && isVerbose(query));
    default:
      return null;
  }
}

/** Whether a path of the public listener is a probe's. */
export function isProbe(path: string): boolean {
  return publicProbes.has(path);
}

const publicProbes: ReadonlySet<string> = new Set(
  ["/livez", "/readyz", "/healthz"].flatMap((path) => [path, `${path}/`]),
);

function readiness(health: ProbedHealth, name: string, verbose: boolean): ProbeAnswer {
  const now = health.readyz();
  return verbose ? answer(now.ready, list(name, now, health.report())) : brief(now.ready);
}

function list(name: string, { ready, phase }: Readiness, checks: readonly CheckReport[]): string {
  const lines = [
    `${sign(phase === "serving")}phase ${phase}`,
    ...checks.map(checkLine),
    `${name} check ${ready ? "passed" : "failed"}`,
  ];
  return `${lines.join("\n")}\n`;
}

function checkLine({ name, status, message, gatesReadiness }: CheckReport): string {
  const ok = status === "ok";
  const why = message === null ? "" : `: ${message}`;
  const aside = ok || gatesReadiness ? "" : " (does not gate readiness)";
  return `${sign(ok)}${name} ${status}${why}${aside}`;
}

function sign(ok: boolean): string {
  return ok ? "[+]" : "[-]";
}

function isVerbose(query: string): boolean {
  return new URLSearchParams(query).has("verbose");
}

function brief(ok: boolean): ProbeAnswer {
  return answer(ok, ok ? "ok\n" : "unavailable\n");
}

function answer(ok: boolean, body: string): ProbeAnswer {
  return {
    status: ok ? 200 : 503,
    contentType: "text/plain; charset=utf-8",
    cacheControl: "no-store",
    body,
  };
}
