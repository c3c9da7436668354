import type { Client } from "./client.ts";

/** What can be set of a client. */
export interface ClientContent
  extends Pick<
    Client,
    | "name"
    | "firstParty"
    | "grants"
    | "scopes"
    | "audiences"
    | "canIntrospect"
    | "accessTokenTtlSeconds"
    | "refreshGraceMs"
  > {
  /** Where an authorization endpoint may send its users back to (RFC 6749 section 3.1.2). */
  readonly redirectUris: readonly string[];
  /** Where its users may be sent after they have signed out. */
  readonly postLogoutRedirectUris: readonly string[];
}

/** A client that is to be registered. */
export interface ClientDraft extends ClientContent {
  readonly id: string;
  /** Whether it gets a secret. */
  readonly confidential: boolean;
}

/** A registered client, as administrators see it, without anything secret. */
export interface ManagedClient extends ClientDraft {
  readonly createdAt: Date;
  /** Its state, to tell it from another. It changes with the secret, too. */
  readonly etag: string;
}
