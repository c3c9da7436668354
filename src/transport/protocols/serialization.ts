import type { DescMethodUnary } from "@bufbuild/protobuf";
import { createMethodSerializationLookup, type MethodSerializationLookup } from "@connectrpc/connect/protocol";
import type { DescMessage } from "@bufbuild/protobuf";

const known = new WeakMap<DescMethodUnary, MethodSerializationLookup<DescMessage, DescMessage>>();
// The body is bounded where it is read.
const limits = { readMaxBytes: 0xffff_ffff, writeMaxBytes: 0xffff_ffff };

/** How a method's messages are read and written, in binary and in JSON. */
export function serializationOf(method: DescMethodUnary): MethodSerializationLookup<DescMessage, DescMessage> {
  let lookup = known.get(method);
  if (lookup === undefined) {
    lookup = createMethodSerializationLookup(method, undefined, undefined, limits);
    known.set(method, lookup);
  }
  return lookup;
}
