import type { SigningKeyAdmin } from "../../domain/key/signing-keys.ts";
import { KeyService } from "../../gen/countersign/v1/keys_pb.ts";
import { serve, type ServiceEntry } from "../router.ts";
import { dropKeyRpc } from "./drop-key.ts";
import { listKeysRpc } from "./list-keys.ts";
import { resealKeysRpc } from "./reseal-keys.ts";
import { rotateKeyRpc } from "./rotate-key.ts";

/** Registers the RPCs of KeyService. */
export function createKeyService({ keyAdmin }: { readonly keyAdmin: SigningKeyAdmin }): ServiceEntry {
  return serve(KeyService, {
    listKeys: listKeysRpc(keyAdmin),
    rotateKey: rotateKeyRpc(keyAdmin),
    dropKey: dropKeyRpc(keyAdmin),
    resealKeys: resealKeysRpc(keyAdmin),
  });
}
