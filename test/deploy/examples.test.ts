import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse, parseAllDocuments } from "yaml";
import { deriveHashConcurrency } from "../../src/config/cores.ts";
import { listVariables } from "../../src/config/variables.ts";
import { parseDurationMs } from "../../src/lib/duration.ts";
import { runPromtool } from "../_harness/prometheus.ts";
import { root } from "../_harness/service.ts";

const deploy = join(root, "deploy");
const read = (...path: string[]): string => readFileSync(join(root, ...path), "utf8");

/** Every metric that there is, as docs/metrics.md lists them; that file is proved fresh. */
const metrics = new Set(
  [...read("docs/metrics.md").matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, name]) => name!),
);
const series = new Set(
  [...metrics].flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]),
);

/** The names of our metrics that a text speaks of. */
function metricsIn(text: string): string[] {
  return [...new Set(text.match(/\b(?:countersign|process|nodejs)_[a-z0-9_]+\b/g))].filter(
    (name) => name !== "countersign_grpc" && name !== "countersign_is_grpc",
  );
}

/** A heading as a link names it. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe("Prometheus' rules", () => {
  const folder = join(deploy, "prometheus");

  test("promtool takes the configuration and the rules", async () => {
    expect(await runPromtool(["check", "config", join(folder, "prometheus.yml")])).toMatchObject({ code: 0 });
    expect(await runPromtool(["check", "rules", join(folder, "alerts.yml")])).toMatchObject({ code: 0 });
  });

  const tests = globSync("*.test.yml", { cwd: folder }).toSorted();
  test.each(tests)(
    "they fire when they should, and not before: %s",
    async (file) => {
      const { code, output } = await runPromtool(["test", "rules", join(folder, file)]);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
    },
    120_000,
  );

  interface Rules {
    readonly groups: readonly {
      readonly rules: readonly {
        /** Missing where a rule only computes a series. */
        readonly alert?: string;
        readonly expr: string;
        readonly annotations?: { readonly runbook: string };
      }[];
    }[];
  }
  const rules = (parse(read("deploy/prometheus/alerts.yml")) as Rules).groups.flatMap(({ rules }) => rules);
  const tested = tests.map((file) => read("deploy/prometheus", file)).join("\n");
  const alerts = rules.flatMap(({ alert, expr, annotations }) =>
    alert === undefined || annotations === undefined ? [] : [{ alert, expr, annotations }],
  );

  test("what is computed for them asks for metrics that there are", () => {
    expect(metricsIn(rules.map(({ expr }) => expr).join("\n")).filter((name) => !series.has(name))).toEqual(
      [],
    );
  });

  test.each(alerts)(
    "$alert is tested, asks for metrics that there are, and has a page in the runbook",
    ({ alert, expr, annotations }) => {
      expect(tested).toMatch(new RegExp(`alertname: ${alert}\\n`));
      expect(metricsIn(expr).filter((name) => !series.has(name))).toEqual([]);
      const [file, anchor] = annotations.runbook.split("#");
      expect(anchors(read(file!))).toContain(anchor);
    },
  );
});

/** Of the metrics of ours, those that need no panel. */
const withoutPanel = new Set<string>([]);

test("the dashboard asks for metrics that there are, for all of ours, in panels that do not overlap", () => {
  interface Panel {
    readonly id: number;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }
  const { panels } = JSON.parse(read("deploy/grafana/countersign.json")) as { panels: readonly Panel[] };
  const asked = panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricsIn(expr)));
  expect(asked.filter((name) => !series.has(name))).toEqual([]);
  const shown = new Set(asked.map((name) => name.replace(/_(bucket|sum|count)$/, "")));
  const ours = [...metrics].filter((name) => name.startsWith("countersign_"));
  expect(ours.filter((name) => !shown.has(name) && !withoutPanel.has(name))).toEqual([]);
  expect([...withoutPanel].filter((name) => !metrics.has(name) || shown.has(name))).toEqual([]);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});

test("every metric that the documents speak of is there", () => {
  expect(metricsIn(read("docs/operations.md")).filter((name) => !series.has(name))).toEqual([]);
});

describe("the manifest for Kubernetes", () => {
  interface Container {
    readonly image: string;
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly [probe: `${string}Probe`]: {
      readonly httpGet: { readonly path: string; readonly port: string };
    };
  }
  interface Deployment {
    readonly spec: {
      readonly selector: object;
      readonly template: {
        readonly spec: {
          readonly terminationGracePeriodSeconds: number;
          readonly containers: readonly [Container];
        };
      };
    };
  }
  const documents = parseAllDocuments(read("deploy/kubernetes/countersign.yaml")).map(
    (document) => document.toJS() as { kind: string },
  );
  const deployment = documents.find(({ kind }) => kind === "Deployment") as unknown as Deployment;
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  const variables = new Map(listVariables().map(({ name, fallback }) => [name as string, fallback]));
  const durationOf = (name: string): number => {
    const text = container.env.find((one) => one.name === name)?.value ?? variables.get(name) ?? "";
    return parseDurationMs(text) ?? Number.NaN;
  };

  test("names variables that there are, and the version", () => {
    expect(container.env.filter(({ name }) => !variables.has(name))).toEqual([]);
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(container.image).toBe(`countersign:${version}`);
  });

  test("probes the private port: starting, ready and alive are three questions", () => {
    const probes = (["startupProbe", "readinessProbe", "livenessProbe"] as const).map(
      (name) => container[name]!.httpGet,
    );
    expect(probes).toEqual(["/startupz", "/readyz", "/livez"].map((path) => ({ path, port: "ops" })));
    expect(container.ports).toEqual([
      { name: "public", containerPort: Number(variables.get("PORT")) },
      { name: "ops", containerPort: Number(variables.get("OPS_PORT")) },
    ]);
  });

  // Only where kubectl is at hand; without a cluster it knows workloads alone.
  const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
  (hasKubectl ? describe : describe.skip)("for kubectl", () => {
    test("its Deployment has no field that is unknown", () => {
      const args = ["set", "env", "--local", "--filename=-", "--output=json", "ADDED=1"];
      const input = JSON.stringify(deployment);
      const { status, stdout, stderr } = spawnSync("kubectl", args, { input, encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const known = JSON.parse(stdout) as Deployment;
      const [{ env }] = known.spec.template.spec.containers;
      (env as unknown[]).pop();
      expect(known).toMatchObject(deployment);
    });
  });

  test("trusts no address as a proxy before the operator has named the ingress's own", () => {
    expect(container.env.map(({ name }) => name)).not.toContain("TRUSTED_PROXIES");
  });

  test("lets the ingress alone reach the public port, and Prometheus alone the private one", () => {
    interface Policy {
      readonly spec: {
        readonly podSelector: object;
        readonly policyTypes: readonly string[];
        readonly ingress: readonly {
          readonly from: readonly { readonly namespaceSelector: { readonly matchLabels: object } }[];
          readonly ports: readonly { readonly port: string }[];
        }[];
      };
    }
    const { spec } = documents.find(({ kind }) => kind === "NetworkPolicy") as unknown as Policy;
    expect(spec.policyTypes).toEqual(["Ingress"]);
    expect(spec.podSelector).toEqual(deployment.spec.selector);
    const rules = spec.ingress.map(({ from, ports }) => ({
      from: from.map((peer) => peer.namespaceSelector.matchLabels),
      ports: ports.map(({ port }) => port),
    }));
    expect(rules).toEqual([
      { from: [{ "kubernetes.io/metadata.name": "ingress-nginx" }], ports: ["public"] },
      { from: [{ "kubernetes.io/metadata.name": "monitoring" }], ports: ["ops"] },
    ]);
  });

  test("gives the hashes that its memory allows what docs/operations.md says they take", () => {
    const { memory } = container.resources.limits;
    const bytes = Number(/^(\d+)Mi$/.exec(memory)?.[1]) * 1024 * 1024;
    const hashKib = Number(variables.get("ARGON2_MEMORY_KIB"));
    expect(deriveHashConcurrency(64, { cpus: null, memoryBytes: bytes }, hashKib, 1)).toBe(13);
    expect(read("deploy/kubernetes/countersign.yaml")).toContain("13 at most here");
  });

  test("leaves the drain the time that it may take", () => {
    const drainMs = durationOf("DRAIN_DELAY") + durationOf("DRAIN_TIMEOUT") + durationOf("DATABASE_TIMEOUT");
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(drainMs + 5_000);
  });
});
