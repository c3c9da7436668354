import { createRecent } from "../../lib/recent.ts";
import { isScopeToken } from "../../lib/scope-token.ts";
import type { Audit } from "../audit/audit.ts";
import { type AuditSource, byAnyone } from "../audit/audit-event.ts";
import { AppError, type FieldError } from "../../errors/app-error.ts";
import { notFound, refuseFields } from "../../errors/invalid.ts";
import type { FieldCode } from "../../errors/field-codes.ts";
import type { Origin } from "../session/session.ts";
import { builtinClientId, createBuiltinClient } from "./builtin-client.ts";
import { type ChangeClientsDeps, createChangeClients } from "./change-clients.ts";
import type { Client, GrantType } from "./client.ts";
import { createClientSecret, hashClientSecret, isClientSecret } from "./client-secret.ts";
import type { ClientStore, NewClient, StoredClient } from "./client-store.ts";

/** What a caller shows of its client (RFC 6749 section 2.3). */
export interface ClientCredentials {
  /** Empty for none. */
  readonly id: string;
  /** Empty for none. */
  readonly secret: string;
}

/** A client as it is asked for. */
export type ClientDraft = NewClient;

/** The clients. `by` is who does it, for the audit trail. */
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
  /** The registered clients, in the order of their ids. */
  list(): Promise<Client[]>;
  /**
   * Registers a client. A confidential one gets a random secret, which is not kept and cannot be shown again.
   *
   * @throws AppError validation_failed, already_exists
   */
  create(
    draft: ClientDraft,
    by: AuditSource,
  ): Promise<{ readonly client: Client; readonly secret: string | null }>;
  /** Gives a confidential client a new secret, and ends the old one. @throws AppError not_found */
  rotateSecret(id: string, by: AuditSource): Promise<string>;
  /**
   * Deletes a client, and ends the sessions that it began. May be run again where it was cut off.
   *
   * @throws AppError not_found where there is neither
   */
  delete(id: string, by: AuditSource): Promise<void>;
}

const idForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/;
const scopeCharsMax = 128;
const audienceBytesMax = 255;

/** @param deps the stores, the audit trail, and what the built-in first-party client may do */
export function createClients(
  deps: ChangeClientsDeps & {
    readonly store: ClientStore;
    readonly audit: Audit;
    readonly builtin: { readonly enabled: boolean; readonly scopes: readonly string[] };
  },
): Clients {
  const { store, audit } = deps;
  const changes = createChangeClients(deps);
  const builtin = createBuiltinClient(deps.builtin.scopes);
  const findBuiltin = () => (deps.builtin.enabled ? { client: builtin, secretHash: null } : null);
  const claimedId = ({ id }: ClientCredentials): string => (id === "" ? builtinClientId : id);
  const recent = createRecent<StoredClient | null>((found) => found !== null);
  const askStore = async (id: string, read: () => Promise<StoredClient | null>) => {
    if (id === builtinClientId) return findBuiltin();
    // Callers send anything, also what the store cannot take.
    return idForm.test(id) ? read() : null;
  };
  const ask = (id: string) => askStore(id, () => recent.ask(id, id, () => store.find(id)));
  /** Whoever has just registered, or has a new secret, is not refused for what was known a second ago. */
  const findGenuine = async (id: string, secret: string): Promise<Found> => {
    const remembered = await recent.find(id);
    if (remembered !== null && isGenuine(remembered, secret)) return { found: remembered, genuine: true };
    const found = await ask(id);
    return { found, genuine: found !== null && isGenuine(found, secret) };
  };
  const change = async <T>(id: string, make: () => Promise<T>): Promise<T> => {
    try {
      return await make();
    } finally {
      recent.forget(id);
    }
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
    list: () => store.list(),
    async create(draft, by) {
      const fields = checkDraft(draft);
      refuseFields(fields);
      const secret = draft.confidential ? createClientSecret() : null;
      const secretHash = secret === null ? null : hashClientSecret(secret);
      const client = await change(draft.id, () => changes.create(draft, secretHash, by));
      return { client, secret };
    },
    async rotateSecret(id, by) {
      const secret = createClientSecret();
      const isSet = await change(id, () => changes.setSecret(id, hashClientSecret(secret), by));
      if (isSet) return secret;
      throw notFound("confidential client");
    },
    async delete(id, by) {
      const isDeleted = await change(id, () => changes.delete(id, by));
      if (!isDeleted) throw notFound("client");
    },
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

function checkDraft(draft: ClientDraft): FieldError[] {
  const problems: [boolean, string, FieldCode, string][] = [
    [
      !idForm.test(draft.id),
      "id",
      "bad_form",
      "must be letters, digits, dots, colons, dashes and underscores",
    ],
    [draft.id === builtinClientId, "id", "not_allowed", "is the built-in client's"],
    [draft.name === "" || draft.name.length > 200, "name", "bad_form", "must be 1 to 200 characters long"],
    [draft.grants.length === 0, "grants", "required", "must name at least one grant"],
    [
      draft.grants.includes("password") && !draft.firstParty,
      "grants",
      "not_allowed",
      "must not hold password unless the client is first-party",
    ],
    [
      draft.grants.includes("client_credentials") && !draft.confidential,
      "grants",
      "not_allowed",
      "must not hold client_credentials unless the client has a secret",
    ],
    [
      draft.canIntrospect && !draft.confidential,
      "can_introspect",
      "not_allowed",
      "is for clients that have a secret",
    ],
    [
      !draft.scopes.every((scope) => scope.length <= scopeCharsMax && isScopeToken(scope)),
      "scopes",
      "bad_form",
      "must be scope names (RFC 6749 section 3.3)",
    ],
    [draft.audience === "", "audience", "required", "must not be empty"],
    [
      // It stands in every token: a control character takes six bytes there.
      Buffer.byteLength(draft.audience ?? "") > audienceBytesMax || /\p{Cc}/u.test(draft.audience ?? ""),
      "audience",
      "bad_form",
      `must be at most ${audienceBytesMax} bytes long, without control characters`,
    ],
  ];
  return problems.filter(([wrong]) => wrong).map(([, field, code, detail]) => ({ field, code, detail }));
}
