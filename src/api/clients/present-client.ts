import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ClientDeletion } from "../../domain/client/client-deletion.ts";
import type { ManagedClient } from "../../domain/client/managed-client.ts";
import type { ClientWithSecret } from "../../domain/client/manage-clients.ts";
import {
  type ClientDeletion as ClientDeletionMessage,
  ClientDeletionSchema,
  type Client as ClientMessage,
  ClientSchema,
  type ClientWithSecret as ClientWithSecretMessage,
  ClientWithSecretSchema,
} from "../../gen/countersign/v1/clients_pb.ts";

/** A client as administrators are shown it. */
export function presentClient(client: ManagedClient): ClientMessage {
  const { id, name, confidential, firstParty, canIntrospect, accessTokenTtlSeconds, refreshGraceMs } = client;
  return create(ClientSchema, {
    id,
    name,
    confidential,
    firstParty,
    grants: [...client.grants],
    scopes: [...client.scopes],
    audiences: [...client.audiences],
    redirectUris: [...client.redirectUris],
    postLogoutRedirectUris: [...client.postLogoutRedirectUris],
    canIntrospect,
    ...(accessTokenTtlSeconds === null ? {} : { accessTokenTtlSeconds }),
    ...(refreshGraceMs === null ? {} : { refreshGraceMs }),
    createdAt: timestampFromDate(client.createdAt),
    etag: client.etag,
  });
}

/** A client with the secret that has just been made for it. */
export function presentClientWithSecret({ client, secret }: ClientWithSecret): ClientWithSecretMessage {
  return create(ClientWithSecretSchema, {
    client: presentClient(client),
    ...(secret === null ? {} : { clientSecret: secret }),
  });
}

/** How far the deletion of a client is. */
export function presentClientDeletion(deletion: ClientDeletion): ClientDeletionMessage {
  const { clientId, sessionsEnded, deletedAt, finishedAt } = deletion;
  return create(ClientDeletionSchema, {
    clientId,
    sessionsEnded,
    done: finishedAt !== null,
    deletedAt: timestampFromDate(deletedAt),
    ...(finishedAt === null ? {} : { finishedAt: timestampFromDate(finishedAt) }),
  });
}
