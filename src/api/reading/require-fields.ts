import { AppError } from "../../errors/app-error.ts";

/** Asks for fields that only some requests of a kind need. @throws AppError validation_failed */
export function requireFields(values: Readonly<Record<string, string>>): void {
  const fields = Object.entries(values)
    .filter(([, value]) => value === "")
    .map(([field]) => ({ field, code: "required", detail: "is required" }) as const);
  if (fields.length > 0) throw new AppError("validation_failed", "A field is not valid.", { fields });
}
