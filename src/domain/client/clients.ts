import { AppError } from "../../errors/app-error.ts";
import { createRecent } from "../../lib/recent.ts";
import type { Audit } from "../audit/audit.ts";
import { byAnyone } from "../audit/audit-event.ts";
import type { Origin } from "../session/session.ts";
import { builtinClientId, createBuiltinClient } from "./builtin-client.ts";
import type { Client, GrantType } from "./client.ts";
import { isClientId } from "./client-content.ts";
import { isClientSecret } from "./client-secret.ts";
import type { ClientStore, StoredClient } from "./client-store.ts";

/** What a caller shows of its client (RFC 6749 section 2.3). */
export interface ClientCredentials {
  /** Empty for none. */
  readonly id: string;
  /** Empty for none. */
  readonly secret: string;
}

/** The clients, as requests need them. */
export interface Clients {
  /** The id that a request claims: the built-in client's where it names none. */
  claimedId(credentials: ClientCredentials): string;
  /**
   * The client that a request is made by; the built-in one where it names none. It is as it was at most a second ago,
   * and as it is now where this process has changed it, or where its secret is not the one of a second ago. Failures are counted in the
   * audit trail, by the registered client and the address.
   *
   * @throws AppError invalid_client, unavailable
   */
  authenticate(credentials: ClientCredentials, origin: Origin): Promise<Client>;
  /** The client of this id as it was at most a second ago; null where there is none. */
  find(id: string): Promise<Client | null>;
  /** The client of this id as it is now; null where there is none. */
  findNow(id: string): Promise<Client | null>;
  /** To be called where a client has changed here; resolves when the whole instance has forgotten it. */
  forget(id: string): Promise<void>;
  /** What another process of this instance asks for: forgets a client in this process alone. */
  forgetHere(id: string): void;
}

/** @param deps the store, the audit trail, and what the built-in first-party client may do */
export function createClients(deps: {
  readonly store: ClientStore;
  readonly audit: Pick<Audit, "recordCounted">;
  readonly builtin: { readonly enabled: boolean; readonly scopes: readonly string[] };
  /** Lets the other processes of this instance forget a client, too; resolves when they have. */
  readonly forgetElsewhere: (id: string) => Promise<void>;
}): Clients {
  const { store, audit } = deps;
  const builtin = createBuiltinClient(deps.builtin.scopes);
  const findBuiltin = () => (deps.builtin.enabled ? { client: builtin, secretHash: null } : null);
  const claimedId = ({ id }: ClientCredentials): string => (id === "" ? builtinClientId : id);
  const recent = createRecent<StoredClient | null>((found) => found !== null);
  const askStore = async (id: string, read: () => Promise<StoredClient | null>) => {
    if (id === builtinClientId) return findBuiltin();
    // Callers send anything, also what the store cannot take.
    return isClientId(id) ? read() : null;
  };
  const ask = (id: string) => askStore(id, () => recent.ask(id, id, () => store.find(id)));
  /** Whoever has just registered, or has a new secret, is not refused for what was known a second ago. */
  const findGenuine = async (id: string, secret: string): Promise<Found> => {
    const remembered = await recent.find(id);
    if (remembered !== null && isGenuine(remembered, secret)) return { found: remembered, genuine: true };
    const found = await ask(id);
    return { found, genuine: found !== null && isGenuine(found, secret) };
  };
  const countFailure = (known: Client | undefined, origin: Origin): void => {
    const event = { type: "client.authentication_failed", ...byAnyone(origin), clientId: known?.id } as const;
    audit.recordCounted(event, `${known?.id ?? ""} ${origin.clientAddress}`);
  };

  return {
    claimedId,
    async authenticate(credentials, origin) {
      const { found, genuine } = await findGenuine(claimedId(credentials), credentials.secret);
      if (found === null || !genuine) {
        countFailure(found?.client, origin);
        throw new AppError("invalid_client", "The client is unknown or did not authenticate.");
      }
      return found.client;
    },
    find: async (id) => (await (recent.find(id) ?? ask(id)))?.client ?? null,
    findNow: async (id) => (await askStore(id, () => store.find(id)))?.client ?? null,
    async forget(id) {
      recent.forget(id);
      await deps.forgetElsewhere(id);
    },
    forgetHere: (id) => recent.forget(id),
  };
}

interface Found {
  readonly found: StoredClient | null;
  readonly genuine: boolean;
}

/** Whether a secret is the client's; a public client shows none. */
function isGenuine({ secretHash }: StoredClient, secret: string): boolean {
  return secretHash === null ? secret === "" : isClientSecret(secret, secretHash);
}

/** Refuses a grant that a client is not registered for. @throws AppError unauthorized_client */
export function requireGrant(client: Client, grant: GrantType): void {
  const allowed = client.grants.includes(grant) && (grant !== "password" || client.firstParty);
  if (!allowed) throw new AppError("unauthorized_client", "The client may not use this grant.");
}
