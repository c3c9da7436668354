/**
 * What can be wrong with a field, for programs: `code` in `errors` of a problem, `reason` in BadRequest. The names are
 * public and stable.
 */
export const fieldCodes = {
  required: "It is missing or empty.",
  too_long: "It is longer than it may be.",
  too_short: "It is shorter than it must be.",
  too_many: "It has more items than it may have.",
  out_of_range: "It is a number or a time beyond what is taken.",
  bad_characters: "It holds a character that it must not hold.",
  bad_form: "It is not of the form that it must have.",
  wrong_type: "It does not hold a value of its type.",
  wrong: "It is not right: a current password that is not the user's.",
  too_common: "It is a password that guessers try first.",
  same_as_username: "It is a password that is the username.",
  not_allowed: "It does not go with the other fields.",
  unknown: "The request does not know a member or parameter of this name.",
  given_twice: "It is given more than once, or under both its names.",
  misplaced: "It may not be given in this place: in the query string, say, where the body holds it.",
  contradictory: "It has one value in the path and another in the body.",
  invalid: "It is not valid in another way.",
} as const;

/** A name from the list of what can be wrong with a field. */
export type FieldCode = keyof typeof fieldCodes;
