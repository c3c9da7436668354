import { isPermission } from "../../../domain/role/permissions.ts";
import { foldName } from "../../../lib/fold.ts";
import { AppError } from "../../../errors/app-error.ts";
import type { ManagedUser } from "../../../gen/countersign/v1/users_pb.ts";
import type { Api } from "../../calling/with-api.ts";
import { listRoles } from "../../roles/list.ts";
import { compare, listUsers } from "../../users/list.ts";
import { type Item, toSet } from "../fields.ts";
import { type Found, type Kind, textOf, textsOf } from "../kind.ts";

const lookUpsAtOnce = 8;

/** The roles of users: of those who administer, and of whomever the file names. Nobody is created. */
export const userKind: Kind = {
  section: "users",
  noun: "user",
  help: "The roles of users who are there: of all who administer, and of others as you like.",
  fields: {
    username: { type: "text", isName: true, help: "The user's name." },
    email: { type: "text", isName: true, help: "The e-mail address, of a user without a name." },
    id: { type: "text", isName: true, help: "The user's id." },
    roles: { type: "texts", isRequired: true, help: "The names of the user's roles: these, and no other." },
  },
  pruning: "takes all roles",
  async read(api, named) {
    const found = new Map<string, Found>();
    for (const role of await namesOfAdministrativeRoles(api)) {
      for await (const user of listUsers(api, compare("roles", ":", role))) found.set(user.id, toFound(user));
    }
    for (let start = 0; start < named.length; start += lookUpsAtOnce) {
      const some = named.slice(start, start + lookUpsAtOnce);
      for (const user of await Promise.all(some.map((item) => find(api, item)))) {
        if (user !== null) found.set(user.id, toFound(user));
      }
    }
    return [...found.values()].toSorted((one, other) => (labelOf(one) < labelOf(other) ? -1 : 1));
  },
  match: (item, found) =>
    found.find(({ key, item: other }) => {
      const isSame = (name: string): boolean =>
        textOf(item, name) !== "" && foldName(textOf(item, name)) === foldName(textOf(other, name));
      return textOf(item, "id") === key || isSame("username") || isSame("email");
    }) ?? null,
  refuseNew: () => "is not there: users are created by `user create`, or brought in by `user import`",
  create: () => Promise.reject(new Error("no user is created so")),
  update: (api, { key, etag }, item) => setRoles(api, key, etag, textsOf(item, "roles")),
  prune: (api, { key, etag }) => setRoles(api, key, etag, []),
};

async function setRoles(api: Api, userId: string, etag: string, roles: string[]): Promise<void> {
  await api.users.updateUser({ userId, etag, roles, updateMask: { paths: ["roles"] } });
}

/** Who has other roles does not administer, and there may be millions of them. */
async function namesOfAdministrativeRoles(api: Api): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, permissions } of listRoles(api)) {
    if (permissions.some(isPermission)) names.push(name);
  }
  return names;
}

async function find(api: Api, item: Item): Promise<ManagedUser | null> {
  const [id, email, username] = [textOf(item, "id"), textOf(item, "email"), textOf(item, "username")];
  try {
    if (id !== "") return await api.users.getUser({ userId: id });
    return await api.users.findUser(email === "" ? { username } : { email });
  } catch (error) {
    if (error instanceof AppError && error.reason === "not_found") return null;
    throw error;
  }
}

function toFound({ id, username, email, roles, status, hasPassword, etag }: ManagedUser): Found {
  const item = { username: username ?? "", email: email ?? "", id, roles: toSet(roles) };
  return { key: id, item, etag, isWorking: status === "active" && hasPassword };
}

function labelOf({ item }: Found): string {
  return textOf(item, "username") || textOf(item, "email") || textOf(item, "id");
}
