import { AppError } from "../../errors/app-error.ts";
import type { Client } from "./client.ts";

/** Whom tokens are for (RFC 9068 section 2.2, `aud`). */
export interface Audiences {
  /** The service's own endpoints: AUDIENCE. */
  readonly own: string;
  /** Of the tokens that a client gets for itself: those of its list; without a list, the service's. */
  ofClient(client: Pick<Client, "audiences">): readonly string[];
  /** Of the tokens that it gets for its users: the same, and for those of the operator's own clients also the service. */
  ofUsers(client: Pick<Client, "audiences" | "firstParty">): readonly string[];
}

/**
 * Those of a token's audiences that a request asks for (RFC 8707 section 2).
 *
 * @param resources exactly as they are; empty for all
 * @throws AppError invalid_target for one that the token cannot be for
 */
export function narrowAudiences(
  audiences: readonly string[],
  resources: readonly string[],
): readonly string[] {
  if (resources.length === 0) return audiences;
  if (!resources.every((resource) => audiences.includes(resource))) {
    throw new AppError("invalid_target", "A resource is none of the audiences of the client's tokens.");
  }
  return audiences.filter((audience) => resources.includes(audience));
}

/** @param own the service's own */
export function createAudiences(own: string): Audiences {
  const ofClient: Audiences["ofClient"] = ({ audiences }) => (audiences.length === 0 ? [own] : audiences);
  return {
    own,
    ofClient,
    ofUsers(client) {
      const audiences = ofClient(client);
      return client.firstParty && !audiences.includes(own) ? [...audiences, own] : audiences;
    },
  };
}
