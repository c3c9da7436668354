import type { Clients } from "../client/clients.ts";
import type { PolicyName } from "./policies.ts";
import { rateLimited, type Throttle } from "./throttle.ts";

/** A limit that counts by client. */
export type ClientPolicy = Extract<PolicyName, `${string}-client`>;

/**
 * The authentication of clients, with a limit on what one client may do at an endpoint. Only a client that has
 * proved who it is counts: anybody can claim the id of a public one, and use its limit up.
 */
export function throttleClients<Part extends Pick<Clients, "authenticate">>(
  clients: Part,
  throttle: Throttle,
  policy: ClientPolicy,
): Part {
  return {
    ...clients,
    async authenticate(credentials, origin) {
      const client = await clients.authenticate(credentials, origin);
      if (client.confidential) {
        const charge = await throttle.charge(policy, client.id);
        if (charge?.allowed === false) throw rateLimited(charge);
      }
      return client;
    },
  };
}
