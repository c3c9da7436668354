import { Gauge, type Registry } from "prom-client";

/** What was built. */
export interface BuildFacts {
  readonly version: string;
  /** Null if it is not known. */
  readonly commit: string | null;
}

/** Shows which program runs. */
export interface BuildMetrics {
  tell(facts: BuildFacts): void;
}

/** Registers the facts of the build. */
export function createBuildMetrics(registry: Registry): BuildMetrics {
  const info = new Gauge({
    name: "countersign_build_info",
    help: "Always 1; the labels show the running version, Node's version, and the commit (BUILD_COMMIT).",
    aggregator: "first",
    labelNames: ["version", "node", "commit"] as const,
    registers: [registry],
  });
  return {
    tell: ({ version, commit }) =>
      info.set({ version, node: process.version, commit: commit ?? "unknown" }, 1),
  };
}
