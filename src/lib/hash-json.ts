import { hash } from "node:crypto";

/** The SHA-256 of what JSON can hold; members count in their order. */
export function hashJson(value: unknown): Buffer {
  return hash("sha256", JSON.stringify(value), "buffer");
}
