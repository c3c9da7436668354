import type { FoundOwner, MovedUser } from "./moving-store.ts";
import type { RecordProblem } from "./user-record.ts";

/**
 * Says of users that were not added whether they are there already, or who stands in their way.
 *
 * @param users by the lines of their records
 * @param owners all who have one of their ids, names and addresses
 */
export function judgeTaken(
  users: ReadonlyMap<number, MovedUser>,
  owners: readonly FoundOwner[],
): ReadonlyMap<number, RecordProblem | "existing"> {
  const people = owners.filter(({ isClient }) => !isClient);
  const byId = new Map(people.map((owner) => [owner.id, owner]));
  const clientIds = new Set(owners.filter(({ isClient }) => isClient).map(({ id }) => id));
  const usernames = new Set(people.map(({ usernameFolded }) => usernameFolded));
  const emails = new Set(people.map(({ emailFolded }) => emailFolded));

  const judge = (user: MovedUser): RecordProblem | "existing" => {
    const same = byId.get(user.id);
    if (same !== undefined) return isSame(user, same) ? "existing" : taken("id", "is another user's");
    if (clientIds.has(user.id)) return taken("id", "is a client's");
    if (user.usernameFolded !== null && usernames.has(user.usernameFolded)) {
      return taken("username", "is another user's");
    }
    if (user.emailFolded !== null && emails.has(user.emailFolded)) return taken("email", "is another user's");
    return { field: "", code: "conflict", detail: "was taken and set free meanwhile; run the import again" };
  };
  return new Map([...users].map(([line, user]) => [line, judge(user)]));
}

/** Names may have been changed here since; when a user was made never is. */
function isSame(user: MovedUser, found: FoundOwner): boolean {
  if (user.createdAt !== null && user.createdAt.getTime() === found.createdAt?.getTime()) return true;
  return user.usernameFolded === found.usernameFolded && user.emailFolded === found.emailFolded;
}

function taken(field: string, detail: string): RecordProblem {
  return { field, code: "already_exists", detail };
}
