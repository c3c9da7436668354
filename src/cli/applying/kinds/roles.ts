import { isBuiltinRole } from "../../../domain/role/builtin-roles.ts";
import { listRoles } from "../../roles/list.ts";
import { toSet } from "../fields.ts";
import { type Kind, textOf, textsOf } from "../kind.ts";

/** The operator's own roles. */
export const roleKind: Kind = {
  section: "roles",
  noun: "role",
  help: "The roles of your own. Those that are built in are not in the file.",
  fields: {
    name: { type: "text", isName: true, help: "The name." },
    description: { type: "text", help: "What it is for." },
    permissions: {
      type: "permissions",
      help: "Permissions of Countersign, or of your own APIs, with a colon.",
    },
    scopes: { type: "texts", help: "Scopes of your own APIs." },
  },
  pruning: "deletes it",
  async read(api) {
    const found = [];
    for await (const { name, description, permissions, scopes, builtIn, etag } of listRoles(api)) {
      const item = { name, description, permissions: toSet(permissions), scopes: toSet(scopes) };
      if (!builtIn) found.push({ key: name, item, etag });
    }
    return found;
  },
  match: (item, found) => found.find(({ key }) => key === item["name"]) ?? null,
  refuseNew: (item) => (isBuiltinRole(textOf(item, "name")) ? "is built in, and cannot be changed" : null),
  async create(api, item) {
    await api.roles.createRole(toContent(item));
    return null;
  },
  async update(api, { etag }, item, changed) {
    await api.roles.updateRole({ ...toContent(item), updateMask: { paths: [...changed] }, etag });
  },
  async prune(api, { key: name, etag }) {
    await api.roles.deleteRole({ name, etag });
  },
};

function toContent(item: Parameters<Kind["create"]>[1]) {
  return {
    name: textOf(item, "name"),
    description: textOf(item, "description"),
    permissions: textsOf(item, "permissions"),
    scopes: textsOf(item, "scopes"),
  };
}
