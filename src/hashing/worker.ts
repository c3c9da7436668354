// The process that hashes passwords. It is started by worker-process.ts, speaks over the channel that it
// was started with, and ends with it.
import { writeFile } from "node:fs/promises";
import { loadArgon2, loadUsualArgon2 } from "./choose-argon2.ts";
import { createHashEngine } from "./hash-engine.ts";
import { stepBack } from "./step-back.ts";
import type { WorkerReply, WorkerRequest } from "./worker-messages.ts";

// When memory runs out, the kernel ends this process and not the service. Linux alone has the file.
await writeFile("/proc/self/oom_score_adj", "500").catch(() => undefined);
// Ctrl-C reaches the whole process group; the service ends this process when its requests are answered.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit(0));

const [wanted = "", niceness = ""] = process.argv.slice(2);
const { name: implementation, compute } =
  wanted === "" ? await loadUsualArgon2() : { name: wanted, compute: await loadArgon2(wanted) };
const engine = createHashEngine(compute);
// The known answers have started the threads that hash.
const scheduling = await stepBack(Number(niceness));

process.on("message", ({ id, work }: WorkerRequest) => {
  engine.run(work).then(
    (hash) => reply({ kind: "done", id, hash }),
    (error: unknown) => reply({ kind: "failed", id, message: String(error) }),
  );
});
reply({ kind: "ready", implementation, scheduling });

function reply(message: WorkerReply): void {
  // This fails if the service has gone; then there is nobody to report it to.
  process.send?.(message, undefined, undefined, () => undefined);
}
