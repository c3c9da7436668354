import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { presentUser } from "./present-user.ts";

/** AuthService.GetCurrentUser: GET /auth/me. */
export function getCurrentUserRpc(): Handler<typeof AuthService.method.getCurrentUser> {
  return (_request, call) => presentUser(requirePrincipal(call).user);
}
