import { createRegistry, type DescFile, getOption, type Message } from "@bufbuild/protobuf";
import { nullable } from "../../gen/countersign/v1/options_pb.ts";
import { createJsonWriters } from "../../transcoding/write-json.ts";

/** Writes messages of these files as REST shows them. */
export function createMessageJson(files: readonly DescFile[]): (message: Message) => Record<string, unknown> {
  const registry = createRegistry(...files);
  const writers = createJsonWriters({
    names: "proto",
    writesZeros: true,
    isNullable: (field) => getOption(field, nullable),
    registry: undefined,
  });
  return (message) => {
    const desc = registry.getMessage(message.$typeName);
    if (desc === undefined) throw new Error(`${message.$typeName} is not of these files`);
    return JSON.parse(writers.message(desc)(message)) as Record<string, unknown>;
  };
}
