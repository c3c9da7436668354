import { createReadStream } from "node:fs";
import { codeOf } from "../../lib/files.ts";

/**
 * Reads a file as UTF-8 text, a part at a time; `-` is standard input.
 *
 * @param onBytes told how many bytes have been read so far
 * @throws Error with a sentence where it cannot be read, or is no UTF-8
 */
export async function* readText(path: string, onBytes?: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Buffer): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new Error(`${path} is not UTF-8 text.`);
    }
  };
  const source: AsyncIterable<Buffer> = path === "-" ? process.stdin : createReadStream(path);
  let total = 0;
  try {
    for await (const chunk of source) {
      total += chunk.byteLength;
      onBytes?.(total);
      yield decode(chunk);
    }
  } catch (error) {
    const code = codeOf(error);
    if (typeof code === "string" && code !== "EPIPE") {
      throw new Error(`${path} cannot be read: ${code}.`, { cause: error });
    }
    throw error;
  }
  yield decode();
}
