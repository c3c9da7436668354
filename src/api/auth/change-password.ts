import type { ChangePassword } from "../../domain/authentication/change-password.ts";
import type { ReplacePassword } from "../../domain/authentication/replace-password.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readAdmission } from "../reading/read-admission.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { answerTokens } from "./answer-tokens.ts";

/** AuthService.ChangePassword: POST /auth/change-password. */
export function changePasswordRpc(
  changePassword: ChangePassword,
  replacePassword: ReplacePassword,
): Handler<typeof AuthService.method.changePassword> {
  return async (request, call) => {
    const { currentPassword, newPassword, username } = request;
    const origin = readOrigin(call);
    const admission = readAdmission(call);
    if (username !== "") {
      const client = readClientCredentials(request, call);
      const shown = { username, password: currentPassword, deviceToken: "", addressRefusal: null };
      return answerTokens(call, await replacePassword({ ...shown, client, newPassword, origin, admission }));
    }
    const principal = requirePrincipal(call);
    return answerTokens(
      call,
      await changePassword({ principal, currentPassword, newPassword, origin, admission }),
    );
  };
}
