import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import type { Clients } from "../../domain/client/clients.ts";
import { invalidRefreshToken } from "../../domain/login/refresh.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readClientCredentials } from "../client-credentials.ts";
import { requirePrincipal } from "../require-principal.ts";

/** AuthService.Logout: POST /auth/logout. */
export function logoutRpc(
  clients: Pick<Clients, "authenticate">,
  sessions: Pick<Sessions, "endByToken" | "end">,
): MethodImpl<typeof AuthService.method.logout> {
  return async (request, context) => {
    if (request.refreshToken === "") {
      const { user, sessionId } = requirePrincipal(context);
      await sessions.end(user.id, sessionId);
      return create(EmptySchema);
    }
    const client = await clients.authenticate(readClientCredentials(request, context));
    if (!(await sessions.endByToken(request.refreshToken, client.id))) throw invalidRefreshToken();
    return create(EmptySchema);
  };
}
