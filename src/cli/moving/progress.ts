import { stat } from "node:fs/promises";
import type { ImportCounts } from "../../domain/user/moving/import-users.ts";
import { printStatus } from "../output.ts";

/** Shows on a terminal how far an import is. */
export interface Progress {
  /** How many bytes of the file have been read. */
  readonly onBytes: (bytes: number) => void;
  readonly onCounts: (counts: ImportCounts) => void;
  /** Clears the line. */
  end(): void;
}

const barChars = 20;

/** @param path the file; of standard input no end is known */
export async function createProgress(path: string): Promise<Progress> {
  const size =
    path === "-"
      ? 0
      : await stat(path).then(
          (file) => file.size,
          () => 0,
        );
  const startedAt = performance.now();
  let read = 0;
  return {
    onBytes(bytes) {
      read = bytes;
    },
    onCounts({ created, existing, refused }) {
      const users = created + existing + refused;
      const seconds = (performance.now() - startedAt) / 1000;
      printStatus(
        `${describePart(read, size, seconds)}${users} users, ${Math.round(users / seconds)} a second`,
      );
    },
    end: () => printStatus(""),
  };
}

function describePart(read: number, size: number, seconds: number): string {
  if (size === 0) return "";
  const part = Math.min(1, read / size);
  const bar = "#".repeat(Math.round(part * barChars)).padEnd(barChars, ".");
  const left = Math.round((seconds * (1 - part)) / part);
  return `[${bar}] ${Math.round(part * 100)} %, ${left} s left, `;
}
