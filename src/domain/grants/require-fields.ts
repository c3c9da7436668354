import { refuseFields } from "../../errors/invalid.ts";

/** Requires the parameters of one grant, by their names in RFC 6749. @throws AppError validation_failed */
export function requireFields(values: Readonly<Record<string, string>>): void {
  const fields = Object.entries(values)
    .filter(([, value]) => value === "")
    .map(([field]) => ({ field, code: "required", detail: "is required" }) as const);
  refuseFields(fields);
}
