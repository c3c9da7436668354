import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ListedKey } from "../../domain/key/listed-key.ts";
import { type SigningKey, SigningKeySchema } from "../../gen/countersign/v1/keys_pb.ts";

/** A signing key as the contract shows it. */
export function presentKey({ algorithm, createdAt, signsFrom, forgottenAt, ...key }: ListedKey): SigningKey {
  const { kid, state, sealedBy, etag } = key;
  return create(SigningKeySchema, {
    kid,
    alg: algorithm,
    state,
    createdAt: timestampFromDate(createdAt),
    signsFrom: timestampFromDate(signsFrom),
    ...(forgottenAt === null ? {} : { forgottenAt: timestampFromDate(forgottenAt) }),
    sealedBy,
    etag,
  });
}
