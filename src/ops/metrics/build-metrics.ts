import { Gauge, type Registry } from "prom-client";

/** What was built. */
export interface BuildFacts {
  readonly version: string;
  /** Null where it is not known. */
  readonly commit: string | null;
}

/** What tells which program runs. */
export interface BuildMetrics {
  tell(facts: BuildFacts): void;
}

/** Registers the facts of the build. */
export function createBuildMetrics(registry: Registry): BuildMetrics {
  const info = new Gauge({
    name: "countersign_build_info",
    help: "1, with the version that runs, Node's, and the commit (BUILD_COMMIT).",
    labelNames: ["version", "node", "commit"] as const,
    registers: [registry],
  });
  return {
    tell: ({ version, commit }) =>
      info.set({ version, node: process.version, commit: commit ?? "unknown" }, 1),
  };
}
