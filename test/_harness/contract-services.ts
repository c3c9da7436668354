import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { DescService } from "@bufbuild/protobuf";

const folder = join(import.meta.dirname, "../../src/gen/countersign/v1");

/** Every service of the contract. */
export async function contractServices(): Promise<DescService[]> {
  const files = await Promise.all(
    readdirSync(folder).map((name) => import(join(folder, name)) as Promise<object>),
  );
  return files
    .flatMap((file) => Object.values(file) as unknown[])
    .filter((each): each is DescService => (each as { kind?: unknown } | null)?.kind === "service");
}
