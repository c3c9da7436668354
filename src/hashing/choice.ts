// Chooses the implementation of Argon2id and reports the choice over its channel. It is started by choose-apart.ts, which
// ends it: the memory that the trials have taken ends with it. If it ended by itself, a parent that is busy could see
// its end before its report.
import { flushCompileCache } from "node:module";
import { setPriority } from "node:os";
import { chooseArgon2 } from "./choose-argon2.ts";

// The service answers meanwhile. The threads that hash inherit this; their processor time is measured, and no other. No
// further back: on a machine that is never idle the choice would not be made in its time.
setPriority(5);

process.on("disconnect", () => process.exit(0));
const [atOnce = 1, memoryKib = 0, iterations = 0, parallelism = 0] = process.argv.slice(2).map(Number);
const { report } = await chooseArgon2({ memoryKib, iterations, parallelism }, atOnce);
// A process that is killed keeps nothing of what it has compiled by itself.
flushCompileCache();
process.send?.(report, undefined, undefined, () => undefined);
