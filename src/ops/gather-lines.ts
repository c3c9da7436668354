import type { DestinationStream } from "pino";

/** A destination that holds lines back for a moment. */
interface Gathered extends DestinationStream {
  /** Writes what waits, now. */
  flush(): void;
}

/** What a `kill -9` of the process can cost the log. Milliseconds. */
const gatherMs = 20;
const charsMax = 16_384;
/** How a line of the log begins that can wait. */
const patientLine = /^\{"level":"(?:trace|debug|info)"/;

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
  return {
    write(line) {
      waiting += line;
      const isUrgent = !patientLine.test(line);
      if (timer === null || isUrgent || waiting.length >= charsMax) flush();
      timer ??= setTimeout(onTime, gatherMs);
    },
    flush,
  };
}
