import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { api } from "../_harness/api.ts";
import { longTimeoutMs, printFigures, sizeOf } from "../_harness/figures.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { type CampaignResult, runCampaign } from "../fuzz/campaign.ts";
import { createLogTally } from "../fuzz/log-tally.ts";
import { createServiceTarget, targetEnv } from "../fuzz/service-target.ts";
import { type DemoServer, startDemoServer } from "../transcoding/demo-server.ts";
import { LibraryService } from "../transcoding/gen/demo_pb.ts";

// The short form of `npm run fuzz`; docs/fuzzing.md has the figures of the long one.
const requests = sizeOf(1_500, 50_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_124);
const none: Pick<CampaignResult, "hung" | "crashed"> = { hung: [], crashed: false };

let service: TestService;
let library: DemoServer;
const tally = createLogTally();
beforeAll(async () => {
  library = await startDemoServer();
  service = await startService({ env: targetEnv, onLine: (line) => tally.read(line) });
}, 90_000);
afterAll(async () => {
  await library.drain(0);
  await service.stop();
});

test(
  "requests by the grammar of the contract, good and broken, find no 5xx, no crash and no hang",
  async () => {
    const target = await createServiceTarget(service);
    const result = await runCampaign(target, { seed, from: 0, requests, workers: 16 });
    printFigures(`fuzz with seed ${seed}`, result.fates);
    expect(result).toMatchObject(none);
    expect(tally.faults).toEqual([]);
    // Not all of them died in the parsers.
    expect(tally.statuses.get(200)).toBeGreaterThan(requests / 20);
    expect((await api(service).rest.login(service.admin)).status).toBe(200);
  },
  longTimeoutMs,
);

test(
  "nor do requests for a service that has every feature of google.api.http, streams and raw bodies among them",
  async () => {
    const words = {
      tokens: ["opaque"],
      byField: { count: ["0", "1", "3"], length: ["1", "100"], failure: [""] },
    };
    const target = {
      port: library.port,
      services: [LibraryService],
      isAlive: () => true,
      words: () => Promise.resolve(words),
    };
    const result = await runCampaign(target, { seed, from: 0, requests, workers: 16 });
    expect(result).toMatchObject(none);
    const own = createLogTally();
    for (const line of library.logs()) own.read(JSON.stringify(line));
    // A stream's failure is whatever the request names; a name that is none is a mistake of the demo's own.
    expect(own.faults.filter((line) => !line.includes("/Watch") && !line.includes("/Export"))).toEqual([]);
    expect(own.statuses.get(200)).toBeGreaterThan(requests / 20);
  },
  longTimeoutMs,
);
