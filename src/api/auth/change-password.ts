import type { MethodImpl } from "@connectrpc/connect";
import type { ChangePassword } from "../../domain/authentication/change-password.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.ChangePassword: POST /auth/change-password. */
export function changePasswordRpc(
  changePassword: ChangePassword,
): MethodImpl<typeof AuthService.method.changePassword> {
  return async ({ currentPassword, newPassword }, context) => {
    const principal = requirePrincipal(context);
    const origin = readOrigin(context);
    const admission = readAdmission(context);
    return answerTokens(
      context,
      await changePassword({ principal, currentPassword, newPassword, origin, admission }),
    );
  };
}
