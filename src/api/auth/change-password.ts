import type { ChangePassword } from "../../domain/authentication/change-password.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.ChangePassword: POST /auth/change-password. */
export function changePasswordRpc(
  changePassword: ChangePassword,
): Handler<typeof AuthService.method.changePassword> {
  return async ({ currentPassword, newPassword }, call) => {
    const principal = requirePrincipal(call);
    const origin = readOrigin(call);
    const admission = readAdmission(call);
    return answerTokens(
      call,
      await changePassword({ principal, currentPassword, newPassword, origin, admission }),
    );
  };
}
