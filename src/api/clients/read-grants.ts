import { type GrantType, grantTypes, isGrantType } from "../../domain/client/client.ts";
import { invalidFields } from "../../errors/invalid.ts";

/** The grants that a request names, each once. @throws AppError validation_failed for what is none */
export function readGrants(names: readonly string[]): GrantType[] {
  const grants = [...new Set(names)].filter(isGrantType);
  if (names.every(isGrantType)) return grants;
  const detail = `must be ${grantTypes.join(", ")}`;
  throw invalidFields([{ field: "grants", code: "bad_form", detail }]);
}
