import { createRecent } from "../../lib/recent.ts";
import { rolesOfScopes } from "./administrative-scope.ts";

/** Which scopes users get by their roles. */
export interface RoleScopes {
  /**
   * Those of the scopes that a user gets: of a scope that a role has, whoever has such a role gets it; one that no role has
   * everybody gets. `countersign.<role>` is the role's own. Roles are as they were at most a second ago.
   *
   * @param roles of the user
   * @throws AppError unavailable
   */
  grant(scopes: readonly string[], roles: readonly string[]): Promise<readonly string[]>;
}

/** @param find the roles that have a scope, in the store; null where there is none */
export function createRoleScopes(find: (scope: string) => Promise<readonly string[] | null>): RoleScopes {
  const recent = createRecent<readonly string[] | null>();
  const ownersOf = async (scope: string): Promise<readonly string[] | null> => {
    const [role] = rolesOfScopes([scope]);
    return role === undefined ? (recent.find(scope) ?? recent.ask(scope, scope, () => find(scope))) : [role];
  };
  const isGiven = async (scope: string, roles: readonly string[]): Promise<boolean> => {
    const owners = await ownersOf(scope);
    return owners === null || owners.some((owner) => roles.includes(owner));
  };
  return {
    async grant(scopes, roles) {
      if (scopes.length === 0) return scopes;
      const given = await Promise.all(scopes.map((scope) => isGiven(scope, roles)));
      return scopes.filter((_, index) => given[index]);
    },
  };
}
