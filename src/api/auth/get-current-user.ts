import type { MethodImpl } from "@connectrpc/connect";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { requirePrincipal } from "../reading/require-principal.ts";
import { presentUser } from "./present-user.ts";

/** AuthService.GetCurrentUser: GET /auth/me. */
export function getCurrentUserRpc(): MethodImpl<typeof AuthService.method.getCurrentUser> {
  return (_request, context) => presentUser(requirePrincipal(context).user);
}
