import { VerifyError } from "../../packages/verify/src/index.ts";

/** `good`, or the reason for which a token was refused. */
export async function outcomeOf(verified: Promise<unknown>): Promise<string> {
  try {
    await verified;
    return "good";
  } catch (error) {
    if (error instanceof VerifyError) return error.reason;
    throw error;
  }
}
