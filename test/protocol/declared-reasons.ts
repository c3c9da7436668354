import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { root } from "../_harness/service.ts";

// Field numbers of descriptor.proto: FileDescriptorProto.service, ServiceDescriptorProto.method.
const serviceField = 6;
const methodField = 2;

/** The reasons that each RPC of the contract says in its comment it can fail for, by service and name. */
export function readDeclaredReasons(): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const declared = new Map<string, Map<string, readonly string[]>>();
  for (const file of readContract()) {
    for (const [serviceIndex, service] of file.service.entries()) {
      const methods = new Map<string, readonly string[]>();
      for (const [index, { name }] of service.method.entries()) {
        const path = [serviceField, serviceIndex, methodField, index];
        methods.set(name, reasonsIn(commentAt(file, path)));
      }
      declared.set(`${file.package}.${service.name}`, methods);
    }
  }
  return declared;
}

/** The contract with its comments, which generated code does not have. */
function readContract(): FileDescriptorProto[] {
  const folder = mkdtempSync(join(tmpdir(), "contract-"));
  try {
    const image = join(folder, "image.binpb");
    const buf = join(root, "node_modules/.bin/buf");
    const { status, stderr } = spawnSync(buf, ["build", "--output", image], { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(`buf build failed: ${stderr}`);
    const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(image));
    return file.filter(({ name }) => name.startsWith("countersign/"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function commentAt(file: FileDescriptorProto, path: readonly number[]): string {
  const location = file.sourceCodeInfo?.location.find((each) => each.path.join() === path.join());
  return location?.leadingComments ?? "";
}

/** The paragraph that begins with `Reasons:`, without what stands in brackets. */
function reasonsIn(comment: string): string[] {
  const paragraph = /\bReasons: ([^]*?)\.\s*(?:\n\s*\n|$)/.exec(comment)?.[1] ?? "";
  return paragraph
    .replaceAll(/\([^)]*\)/g, "")
    .split(",")
    .map((reason) => reason.trim())
    .filter((reason) => reason !== "");
}
