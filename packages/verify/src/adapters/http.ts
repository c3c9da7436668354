import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessRule } from "../access-rule.ts";
import type { AccessToken } from "../access-token.ts";
import { presentHttpRefusal } from "../http-refusal.ts";
import type { Verifier } from "../verifier.ts";
import { VerifyError } from "../verify-error.ts";

/** A request that passed: whose it is, or null where anyone may make it. */
export interface Admitted {
  readonly caller: AccessToken | null;
}

/**
 * Checks a request of node:http. One that is refused has been answered.
 *
 * @returns null where it was refused
 * @throws what the verifier throws besides VerifyError
 */
export async function admit(
  verifier: Verifier,
  rule: AccessRule,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Admitted | null> {
  try {
    return { caller: await verifier.authorize(request.headers.authorization, rule) };
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const { status, headers, body } = presentHttpRefusal(error);
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
    return null;
  }
}
