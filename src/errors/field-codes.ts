/**
 * What can be wrong with a field, for programs: `code` in `errors` of a problem, `reason` in BadRequest. The names are
 * public and stable.
 */
export const fieldCodes = {
  required: "It is missing or empty.",
  too_long: "It is longer than allowed.",
  too_short: "It is shorter than allowed.",
  too_many: "It has too many items.",
  out_of_range: "It is a number or a time outside of the accepted range.",
  bad_characters: "It contains a character that is not allowed.",
  bad_form: "It does not have the required form.",
  wrong_type: "Its value has the wrong type.",
  wrong: "It is wrong: the current password is not the user's.",
  too_common: "It is a common password, which attackers try first.",
  same_as_username: "The password is the same as the username.",
  not_found: "It names something that does not exist.",
  not_allowed: "It cannot be combined with the other fields.",
  unknown: "The request has no member or parameter of this name.",
  given_twice: "It is given more than once, or under both its names.",
  misplaced: "It is in the wrong place, for example in the query string instead of the body.",
  contradictory: "It has different values in the path and in the body.",
  invalid: "It is not valid in another way.",
} as const;

/** A name from the list of what can be wrong with a field. */
export type FieldCode = keyof typeof fieldCodes;

/** Whether a text is one of them. */
export function isFieldCode(text: string): text is FieldCode {
  return Object.hasOwn(fieldCodes, text);
}
