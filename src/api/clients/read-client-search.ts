import type { ClientOrder, ClientSearch } from "../../domain/client/client-search.ts";
import { isScopeToken } from "../../lib/scope-token.ts";
import { readSearch } from "../reading/search.ts";

const asItIs = (text: string): string => text;

/** Reads which clients ListClients is asked for. @throws AppError validation_failed */
export function readClientSearch(request: {
  readonly filter: string;
  readonly orderBy: string;
}): ClientSearch {
  let scope: ClientSearch["scope"] = null;
  const ordered = readSearch<ClientOrder>(request, {
    orders: { client_id: asItIs, created_at: null },
    usual: { order: "client_id", descending: false },
    take({ field, operator, value }) {
      if (field !== "scopes" || operator !== ":" || !isScopeToken(value)) return false;
      scope = value;
      return true;
    },
  });
  return { ...ordered, scope };
}
