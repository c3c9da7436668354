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
  clients: Clients,
  sessions: Pick<Sessions, "endByToken" | "end">,
): MethodImpl<typeof AuthService.method.logout> {
  return async (request, context) => {
    if (request.refreshToken === "") {
      const { user, sessionId } = requirePrincipal(context);
      await sessions.end(user.id, sessionId);
      return create(EmptySchema);
    }
    const credentials = { id: request.clientId, secret: request.clientSecret };
    const client = clients.authenticate(
      readClientCredentials(context.requestHeader.get("authorization"), credentials),
    );
    if (!(await sessions.endByToken(request.refreshToken, client.id))) throw invalidRefreshToken();
    return create(EmptySchema);
  };
}
