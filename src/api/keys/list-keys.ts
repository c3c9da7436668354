import type { SigningKeyAdmin } from "../../domain/key/signing-keys.ts";
import type { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import type { Handler } from "../handler.ts";
import { presentKey } from "./present-key.ts";

/** KeyService.ListKeys: GET /admin/keys. */
export function listKeysRpc(
  keys: Pick<SigningKeyAdmin, "list" | "secretKeyId">,
): Handler<typeof KeyService.method.listKeys> {
  return async () => {
    const { secretKeyId } = keys;
    return { keys: (await keys.list()).map(presentKey), secretKeyId };
  };
}
