import type { DescMethod } from "@bufbuild/protobuf";

/** The full name of an RPC: `package.Service/Method`. */
export function rpcName({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}
