// The floor of a login: Argon2id hashes and nothing else, two at once, by the implementation that a service chooses here.
// Usage: node argon2.ts SECONDS; prints one line of JSON.
import { randomBytes } from "node:crypto";
import { chooseArgon2 } from "../../src/hashing/choose-argon2.ts";

const seconds = Number(process.argv[2] ?? 5);
const cost = { memoryKib: 19_456, iterations: 2, parallelism: 1 };
const { compute, report } = await chooseArgon2(cost);

let hashes = 0;
const before = process.cpuUsage();
const startedAt = performance.now();
const work = async (): Promise<void> => {
  while (performance.now() - startedAt < seconds * 1000) {
    const [password, salt] = [randomBytes(16), randomBytes(16)];
    await compute({ kind: "argon2id", password, salt, secret: null, hashBytes: 32, ...cost });
    hashes += 1;
  }
};
await Promise.all([work(), work()]);
const { user, system } = process.cpuUsage(before);
const elapsedSeconds = (performance.now() - startedAt) / 1000;
process.stdout.write(
  `${JSON.stringify({
    implementation: report.implementation,
    perSecond: hashes / elapsedSeconds,
    processorMs: (user + system) / 1000 / hashes,
  })}\n`,
);
