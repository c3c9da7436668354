import type { Api } from "../calling/with-api.ts";
import type { Fields, Item } from "./fields.ts";

/** Something that is there. */
export interface Found {
  /** What tells it from the others of its kind. */
  readonly key: string;
  readonly item: Item;
  /** Its state, which a change is made of. */
  readonly etag: string;
  /** Of a user: whether they can sign in. */
  readonly isWorking?: boolean;
}

/** Something that can be in the file, by its section. */
export interface Kind {
  readonly section: string;
  /** How one of them is called. */
  readonly noun: string;
  /** For people who write a file. */
  readonly help: string;
  readonly fields: Fields;
  /** Those that are not in the file. */
  readonly pruning: string;
  /** All that the file should know of, and those that it names. */
  read(api: Api, named: readonly Item[]): Promise<readonly Found[]>;
  /** Finds what an item of the file is; null where it is to be created. */
  match(item: Item, found: readonly Found[]): Found | null;
  /** What is wrong with an item that is not there yet; null where it can be created. */
  refuseNew(item: Item): string | null;
  /** @returns what has to be told of it once, such as a secret; null for nothing */
  create(api: Api, item: Item): Promise<string | null>;
  /** @param changed the names of the fields to be set */
  update(api: Api, found: Found, item: Item, changed: readonly string[]): Promise<void>;
  prune(api: Api, found: Found): Promise<void>;
}

/** How an item is called: by the field that names it. */
export function nameOf(kind: Kind, item: Item): string {
  for (const [name, field] of Object.entries(kind.fields)) {
    const value = item[name];
    if (field.isName === true && typeof value === "string" && value !== "") return value;
  }
  return "";
}

/** A text of an item. */
export function textOf(item: Item, name: string): string {
  const value = item[name];
  return typeof value === "string" ? value : "";
}

/** A list of an item. */
export function textsOf(item: Item, name: string): string[] {
  const value = item[name];
  return Array.isArray(value) ? value.map(String) : [];
}
