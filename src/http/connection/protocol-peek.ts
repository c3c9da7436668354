import type { Socket } from "node:net";

const firstBytesMax = 65_536;
// RFC 9113 section 3.4: what every HTTP/2 client sends first.
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Distinguishes HTTP/2 by prior knowledge from HTTP/1.1 by a connection's first bytes, and puts them back.
 * The two part at the first byte that is not the preface's, often the very first.
 *
 * @param timeoutMs how long the first bytes may take; a connection that stays silent is closed
 * @param decide called once with the bytes so far, unless the connection ends before the protocol is known
 */
export function peekProtocol(
  socket: Socket,
  timeoutMs: number,
  decide: (protocol: "h1" | "h2", firstBytes: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let seen = 0;
  const read = (): Buffer | null => socket.read() as Buffer | null;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable).off("end", onEnd).off("close", stop);
  };
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  const handOver = (protocol: "h1" | "h2"): void => {
    stop();
    const firstBytes = Buffer.concat(chunks);
    socket.unshift(firstBytes);
    decide(protocol, firstBytes);
  };
  // An end that was read with the first bytes shows when they are all taken, a tick later. An HTTP/2 session, which
  // reads past the stream, would never hear of it.
  const handOverUnlessEnded = (): void => {
    if (socket.destroyed) return;
    const before = seen;
    for (let chunk = read(); chunk !== null; chunk = read()) {
      chunks.push(chunk);
      seen += chunk.byteLength;
    }
    if (seen > before && seen < firstBytesMax) setImmediate(handOverUnlessEnded);
    else handOver("h2");
  };
  const onReadable = (): void => {
    for (let chunk = read(); chunk !== null; chunk = read()) {
      chunks.push(chunk);
      const length = Math.min(chunk.byteLength, preface.byteLength - seen);
      const matches = chunk.compare(preface, seen, seen + length, 0, length) === 0;
      seen += chunk.byteLength;
      if (matches && seen < preface.byteLength) continue;
      if (!matches) {
        handOver("h1");
        return;
      }
      socket.off("readable", onReadable);
      setImmediate(handOverUnlessEnded);
      return;
    }
  };
  socket.on("readable", onReadable).on("end", onEnd).on("close", stop);
}
