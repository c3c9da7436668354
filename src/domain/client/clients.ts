import { AppError } from "../errors.ts";
import type { Client } from "./client.ts";

/** What a caller shows of its client (RFC 6749 section 2.3). */
export interface ClientCredentials {
  /** Empty for none. */
  readonly id: string;
  /** Empty for none. */
  readonly secret: string;
}

/** The clients. */
export interface Clients {
  /**
   * The client that a request is made by; the built-in one where it names none.
   *
   * @throws AppError invalid_client
   */
  authenticate(credentials: ClientCredentials): Client;
  /** The client of this id; null where there is none, or none any more. */
  find(id: string): Client | null;
}

const builtinId = "countersign";

/** @param options the built-in first-party client: a public one, so that no secret of it can be right */
export function createClients(options: {
  readonly builtin: { readonly enabled: boolean; readonly scopes: readonly string[] };
  readonly audience: string;
}): Clients {
  const { builtin, audience } = options;
  const client: Client = { id: builtinId, firstParty: true, scopes: builtin.scopes, audience };
  return {
    find: (id) => (builtin.enabled && id === builtinId ? client : null),
    authenticate(credentials) {
      const known = builtin.enabled && (credentials.id === "" || credentials.id === builtinId);
      if (known && credentials.secret === "") return client;
      throw new AppError("invalid_client", "The client is unknown or did not authenticate.");
    },
  };
}
