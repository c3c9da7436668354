import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { invalidFields } from "../../errors/invalid.ts";

/**
 * Reads which fields a change sets (AIP-134): those that the mask names, all for `*`, and without a mask those that
 * the request holds.
 *
 * @param values of every field that can be set, by its proto name; undefined where the request does not hold it
 * @returns the names of the fields
 * @throws AppError validation_failed for a name that is none of them, or where nothing is set
 */
export function readUpdateMask<Name extends string>(
  mask: FieldMask | undefined,
  values: Readonly<Record<Name, unknown>>,
): ReadonlySet<Name> {
  const names = Object.keys(values) as Name[];
  const paths = mask?.paths ?? [];
  if (paths.includes("*")) return new Set(names);
  const unknown = paths.some((path) => !(names as readonly string[]).includes(path));
  const named = names.filter((name) =>
    paths.length === 0 ? values[name] !== undefined : paths.includes(name),
  );
  if (unknown || named.length === 0) {
    const detail = `must name one or more of ${names.join(", ")}`;
    throw invalidFields([{ field: "update_mask", code: unknown ? "not_found" : "required", detail }]);
  }
  return new Set(named);
}
