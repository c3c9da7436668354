import type { Api } from "../calling/with-api.ts";
import type { Item, Value } from "./fields.ts";
import { type Found, type Kind, nameOf } from "./kind.ts";
import { kinds } from "./kinds.ts";
import type { ConfigFile } from "./read-file.ts";

/** A field that is to be set. */
export interface FieldChange {
  readonly field: string;
  readonly from: Value;
  readonly to: Value;
}

/** One step of a plan. */
export type Step =
  | { readonly action: "create"; readonly kind: Kind; readonly name: string; readonly item: Item }
  | {
      readonly action: "update";
      readonly kind: Kind;
      readonly name: string;
      readonly item: Item;
      readonly found: Found;
      readonly changes: readonly FieldChange[];
    }
  | { readonly action: "prune"; readonly kind: Kind; readonly name: string; readonly found: Found };

/** What differs between a file and what there is. */
export interface Plan {
  /** In the order in which they are made. */
  readonly steps: readonly Step[];
  /** What is there, is not in the file, and is left as it is. */
  readonly unlisted: readonly { readonly kind: Kind; readonly name: string }[];
  /** What there is of each kind that the file has a section of. */
  readonly state: ReadonlyMap<Kind, readonly Found[]>;
}

/**
 * Compares a file with what there is.
 *
 * @param pruned what is to go, as `role/desk`
 * @throws Error with a line for each thing that cannot be done
 */
export async function makePlan(api: Api, file: ConfigFile, pruned: readonly string[]): Promise<Plan> {
  const [changes, prunes]: [Step[], Step[]] = [[], []];
  const unlisted: { kind: Kind; name: string }[] = [];
  const problems: string[] = [];
  const state = new Map<Kind, readonly Found[]>();
  const prunable = new Set(pruned);
  // In the order of the kinds, whatever the order of the file.
  for (const kind of kinds) {
    const items = file.get(kind);
    if (items === undefined) continue;
    const found = await kind.read(api, items);
    state.set(kind, found);
    const matched = new Set<Found>();
    for (const item of items) {
      const other = kind.match(item, found);
      const name = nameOf(kind, item);
      const problem = other === null ? kind.refuseNew(item) : findProblem(kind, item, other, matched);
      if (problem !== null) problems.push(`${kind.noun} ${name} ${problem}`);
      if (other === null) changes.push({ action: "create", kind, name, item });
      else {
        matched.add(other);
        const differing = compareFields(kind, item, other.item);
        if (differing.length > 0) {
          changes.push({ action: "update", kind, name, item, found: other, changes: differing });
        }
      }
    }
    for (const other of found) {
      if (matched.has(other) || isEmpty(kind, other)) continue;
      const name = nameOf(kind, other.item);
      if (prunable.delete(`${kind.noun}/${name}`)) {
        prunes.unshift({ action: "prune", kind, name, found: other });
      } else unlisted.push({ kind, name });
    }
  }
  for (const name of prunable) problems.push(`there is no ${name} that the file's sections leave out`);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return { steps: [...changes, ...prunes], unlisted, state };
}

function findProblem(kind: Kind, item: Item, found: Found, matched: ReadonlySet<Found>): string | null {
  if (matched.has(found)) return "is in the file under another name, too";
  const fixed = compareFields(kind, item, found.item).find(
    ({ field }) => kind.fields[field]?.isFixed === true,
  );
  return fixed === undefined ? null : `is there, and its field ${fixed.field} cannot be changed`;
}

/** The fields that differ, without those that name the item: by these it was found. */
function compareFields(kind: Kind, item: Item, found: Item): FieldChange[] {
  return Object.entries(kind.fields).flatMap(([field, { isName }]) => {
    const [from, to] = [found[field] ?? null, item[field] ?? null];
    return isName === true || JSON.stringify(from) === JSON.stringify(to) ? [] : [{ field, from, to }];
  });
}

/** Somebody whom the file names, and who has no roles, is as good as left out. */
function isEmpty(kind: Kind, { item }: Found): boolean {
  return kind.section === "users" && JSON.stringify(item["roles"]) === "[]";
}
