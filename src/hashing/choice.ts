// Chooses the implementation of Argon2id, reports the choice over its channel, and ends: the memory that the trials have
// taken ends with it. It is started by choose-apart.ts.
import { chooseArgon2 } from "./choose-argon2.ts";

const [atOnce = 1, memoryKib = 0, iterations = 0, parallelism = 0] = process.argv.slice(2).map(Number);
process.on("disconnect", () => process.exit(0));
const { report } = await chooseArgon2({ memoryKib, iterations, parallelism }, atOnce);
process.send?.(report, undefined, undefined, () => process.disconnect());
