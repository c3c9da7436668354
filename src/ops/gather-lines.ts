import type { DestinationStream } from "pino";

/** A destination that delays lines for a moment. */
interface Gathered extends DestinationStream {
  /** Writes the waiting lines now. */
  flush(): void;
}

/** How much of the log a `kill -9` of the process can lose. Milliseconds. */
const gatherMs = 20;
const charsMax = 16_384;
/** The beginning of a log line that may wait. */
const patientLine = /^\{"level":"(?:trace|debug|info)"/;

/**
 * Writes lines that come close together in one piece: under load, writing each line by itself would be a good part of
 * the cost of a refused request. The first line after a pause is written at once. So is a line of level `warn` or above,
 * together with all that wait before it.
 *
 * @param bytesMax of several lines in one piece; a single line may be longer
 */
export function gatherLines(destination: DestinationStream, bytesMax = Infinity): Gathered {
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
      // A character has at most three bytes in UTF-8 for each unit of its text.
      const isLong = 3 * (waiting.length + line.length) > bytesMax;
      if (isLong && Buffer.byteLength(waiting + line) > bytesMax) flush();
      waiting += line;
      const isUrgent = !patientLine.test(line);
      if (timer === null || isUrgent || waiting.length >= charsMax) flush();
      timer ??= setTimeout(onTime, gatherMs);
    },
    flush,
  };
}
