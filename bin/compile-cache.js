import module from "node:module";
import { fileURLToPath } from "node:url";

/**
 * Types are stripped and code is compiled once, and kept beside the packages that it belongs to. Where nothing can be
 * written there, as in a container, what is there is used.
 */
export function enableCompileCache() {
  module.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/countersign", import.meta.url)));
}
