import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { MethodImpl } from "@connectrpc/connect";
import type { Clients } from "../../domain/client/clients.ts";
import { byUser } from "../../domain/audit/audit-event.ts";
import { invalidRefreshToken } from "../../domain/login/refresh.ts";
import { sessionEnded } from "../../domain/session/session-ended.ts";
import type { Sessions, TellEnd } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

/** AuthService.Logout: POST /auth/logout. */
export function logoutRpc(
  clients: Pick<Clients, "authenticate">,
  sessions: Pick<Sessions, "endByToken" | "end">,
): MethodImpl<typeof AuthService.method.logout> {
  return async (request, context) => {
    const origin = readOrigin(context);
    // Whoever holds the session's token is its user.
    const tell: TellEnd = (ended) => sessionEnded(ended, "logout", byUser(ended.userId, origin));
    if (request.refreshToken === "") {
      const { user, sessionId } = requirePrincipal(context);
      await sessions.end(user.id, sessionId, tell);
      return create(EmptySchema);
    }
    const client = await clients.authenticate(readClientCredentials(request, context), origin);
    const isGenuine = await sessions.endByToken(request.refreshToken, client.id, tell);
    if (!isGenuine) throw invalidRefreshToken();
    return create(EmptySchema);
  };
}
