import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { Clients } from "../../domain/client/clients.ts";
import { byUser } from "../../domain/audit/audit-event.ts";
import { invalidRefreshToken } from "../../domain/grants/refresh-token.ts";
import type { Sessions } from "../../domain/session/sessions.ts";
import type { AuthService } from "../../gen/countersign/v1/auth_pb.ts";
import type { Handler } from "../handler.ts";
import { readClientCredentials } from "../reading/client-credentials.ts";
import { readOrigin } from "../reading/read-origin.ts";
import { requirePrincipal } from "../reading/require-principal.ts";

/** AuthService.Logout: POST /auth/logout. */
export function logoutRpc(
  clients: Pick<Clients, "authenticate">,
  sessions: Pick<Sessions, "endByToken" | "end">,
): Handler<typeof AuthService.method.logout> {
  return async (request, call) => {
    const origin = readOrigin(call);
    if (request.refreshToken === "") {
      const { user, sessionId } = requirePrincipal(call);
      await sessions.end(user.id, sessionId, { how: "logout", by: byUser(user.id, origin) });
      return create(EmptySchema);
    }
    const client = await clients.authenticate(readClientCredentials(request, call), origin);
    const end = { how: "logout", by: { holderAt: origin } } as const;
    const isGenuine = await sessions.endByToken(request.refreshToken, client.id, end);
    if (!isGenuine) throw invalidRefreshToken();
    return create(EmptySchema);
  };
}
