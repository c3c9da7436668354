import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { SigningKeyAdmin } from "../../domain/key/signing-keys.ts";
import type { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import type { Handler } from "../handler.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

/** KeyService.DropKey: DELETE /admin/keys/{kid}. */
export function dropKeyRpc(keys: Pick<SigningKeyAdmin, "drop">): Handler<typeof KeyService.method.dropKey> {
  return async ({ kid, etag }, call) => {
    await keys.drop(requireAdministrator(call).by, kid, etag);
    return create(EmptySchema);
  };
}
