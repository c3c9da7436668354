// Compiles what `serve` loads, and ends: an image does so when it is built, and its starts need no compiler. What is kept
// serves the user and the flags of Node that it was made with.
import { enableCompileCache } from "./compile-cache.js";

enableCompileCache();
process.argv.splice(2, Infinity, "--version");
await import("../src/main.ts");
await Promise.all([
  import("../src/cli/run-service.ts"),
  import("../src/app/service.ts"),
  import("../src/app/serve-here.ts"),
  import("../src/app/workers/serve-by-workers.ts"),
  import("../src/app/workers/worker.ts"),
  import("../src/redis/redis.ts"),
]);
const { chooseApart } = await import("../src/hashing/choose-apart.ts");
const { startHashingProcess } = await import("../src/hashing/hashing-process.ts");
const { implementation } = await chooseApart({ memoryKib: 8, iterations: 1, parallelism: 1 }, 1);
const ignore = () => undefined;
const hashing = await startHashingProcess(
  { threads: 1, implementation, niceness: 0 },
  { onLost: ignore, onRestarted: ignore },
);
await hashing.stop();
