import { isBuiltinRole } from "../../domain/role/builtin-roles.ts";
import type { Api } from "../calling/with-api.ts";
import { textsOf } from "./kind.ts";
import { roleKind } from "./kinds/roles.ts";
import { userKind } from "./kinds/users.ts";
import type { Plan } from "./plan.ts";

/**
 * Refuses a plan that gives a role which there will be none of, before anything is done.
 *
 * @throws Error with a line for each user
 */
export async function refuseUnknownRoles(api: Api, { steps, state }: Plan): Promise<void> {
  const gifts = steps.flatMap((step) => {
    if (step.kind !== userKind || step.action !== "update") return [];
    const held = textsOf(step.found.item, "roles");
    const given = textsOf(step.item, "roles").filter((name) => !held.includes(name) && !isBuiltinRole(name));
    return given.length === 0 ? [] : [{ user: step.name, given }];
  });
  if (gifts.length === 0) return;
  const there = new Set((state.get(roleKind) ?? (await roleKind.read(api, []))).map(({ key }) => key));
  for (const { kind, action, name } of steps) {
    if (kind !== roleKind) continue;
    if (action === "prune") there.delete(name);
    else there.add(name);
  }
  const problems = gifts.flatMap(({ user, given }) => {
    const unknown = given.filter((name) => !there.has(name));
    return unknown.length === 0
      ? []
      : [`user ${user} is to have ${unknown.join(", ")}, and there is no such role`];
  });
  if (problems.length > 0) throw new Error(problems.join("\n"));
}
