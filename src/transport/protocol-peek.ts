import type { Socket } from "node:net";

// RFC 9113 section 3.4: what every HTTP/2 client sends first.
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Tells HTTP/2 by prior knowledge from HTTP/1.1 by a connection's first bytes, and puts them back.
 * The two part at the first byte that is not the preface's, often the very first.
 *
 * @param timeoutMs how long the first bytes may take; a connection that stays silent is closed
 * @param decide told once, unless the connection ends before it is known, with what has come so far
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
  const onReadable = (): void => {
    for (let chunk = read(); chunk !== null; chunk = read()) {
      chunks.push(chunk);
      const length = Math.min(chunk.byteLength, preface.byteLength - seen);
      const matches = chunk.compare(preface, seen, seen + length, 0, length) === 0;
      seen += length;
      if (matches && seen < preface.byteLength) continue;
      stop();
      const firstBytes = Buffer.concat(chunks);
      socket.unshift(firstBytes);
      decide(matches ? "h2" : "h1", firstBytes);
      return;
    }
  };
  socket.on("readable", onReadable).on("end", onEnd).on("close", stop);
}
