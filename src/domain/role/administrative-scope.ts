/** The scope by which a client acts with a role: `countersign.support` for the role `support`. */
const prefix = "countersign.";

/** The scope that stands for a role. */
export function scopeOfRole(name: string): string {
  return prefix + name;
}

/** The names of the roles that scopes stand for. A client acts with them where it acts by itself. */
export function rolesOfScopes(scopes: readonly string[]): string[] {
  return scopes.filter((scope) => scope.startsWith(prefix)).map((scope) => scope.slice(prefix.length));
}
