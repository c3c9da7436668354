import type { Audit } from "../audit/audit.ts";
import { byAnyone } from "../audit/audit-event.ts";
import type { NameHmac } from "../audit/name-hmac.ts";
import { addressPrefix } from "../../lib/ip-address.ts";
import type { AppError } from "../../errors/app-error.ts";
import type { Guesser } from "./guesses.ts";

/** Tells the audit trail of a refused attempt: one counted row for each account, address and minute. */
export function createRecordThrottled(
  audit: Pick<Audit, "recordCounted">,
  nameHmac: NameHmac,
): (guesser: Guesser, refusal: AppError) => void {
  return ({ name, userId, origin }, { quota }) => {
    const subject = userId === null ? { nameHmac: nameHmac(name) } : { userId };
    const reason = quota?.policy.replaceAll("-", "_");
    const key = JSON.stringify([name, addressPrefix(origin.clientAddress), reason]);
    audit.recordCounted({ ...byAnyone(origin), ...subject, type: "login.throttled", reason }, key);
  };
}
