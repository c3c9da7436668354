import { type DestinationStream, pino } from "pino";

/** A destination that tells pino to say how severe each line is. */
interface Gathered extends DestinationStream {
  /** Set by pino before each write. */
  lastLevel: number;
  /** Writes what waits, now. */
  flush(): void;
}

/** What a `kill -9` of the process can cost the log. Milliseconds. */
const gatherMs = 20;
const charsMax = 16_384;
const urgentLevel = pino.levels.values["warn"] ?? 0;

/**
 * Writes lines that come close together in one piece: under load a write for each line is a good part of what the
 * refusal costs that it tells of. The first line after a silence goes at once, and so does one from level `warn` up,
 * with all that wait before it.
 */
export function gatherLines(destination: DestinationStream): Gathered {
  let waiting = "";
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "") destination.write(text);
  };
  const onTime = (): void => {
    timer = waiting === "" ? null : setTimeout(onTime, gatherMs);
    flush();
  };
  const gathered: Gathered = {
    lastLevel: 0,
    write(line) {
      waiting += line;
      const isUrgent = gathered.lastLevel >= urgentLevel;
      if (timer === null || isUrgent || waiting.length >= charsMax) flush();
      timer ??= setTimeout(onTime, gatherMs);
    },
    flush,
  };
  return Object.assign(gathered, { [Symbol.for("pino.metadata")]: true });
}
