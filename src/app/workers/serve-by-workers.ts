import type { Config } from "../../config/config.ts";
import type { Log } from "../../ops/logger.ts";
import { createWorkerMetrics } from "../../ops/metrics/worker-metrics.ts";
import type { Front } from "../front.ts";
import { startCrew } from "./crew.ts";

/** Serves the public port by workers, which are started here and load what serves meanwhile. */
export function serveByWorkers(config: Config, log: Log): Front {
  const crew = startCrew(config, log);
  return {
    async open({ metrics, health, checks, commons, secrets, target, onTerminal }) {
      const workerMetrics = createWorkerMetrics(metrics.registry);
      workerMetrics.watch({ configured: config.workers, ready: () => crew.ready() });
      metrics.join(() => crew.readMetrics());
      const orders = { secrets, target, onTerminal };
      const door = await crew.open({ commons, orders, metrics: workerMetrics });
      health.onChange(({ phase }) => {
        if (phase === "draining") crew.announceDrain();
      });
      checks.onWorkers(() => crew.ready());
      return door;
    },
    forget: (what) => crew.forget(what),
    stop: () => crew.stop(),
  };
}
