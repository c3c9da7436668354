import { refuseFields } from "../../errors/invalid.ts";
import type { PasswordHash } from "../password/password-hash.ts";
import type { PasswordHasher } from "../password/password-hasher.ts";
import { checkNewPassword, normalizePassword } from "../password/password-rules.ts";
import type { Admission } from "../password/queue/admission.ts";

/** Hashes a password that a user is to have. @throws AppError validation_failed, overloaded */
export async function hashNewPassword(
  hasher: Pick<PasswordHasher, "hash">,
  password: string,
  username: string,
  admission: Admission,
): Promise<PasswordHash> {
  const normal = normalizePassword(password);
  refuseFields(await checkNewPassword(normal, { field: "password", username }));
  return hasher.hash(normal, admission);
}
