/** A stored password hash: a PHC string, or bcrypt's, and the id of the pepper that it was made with. */
export interface PasswordHash {
  readonly phc: string;
  readonly pepperId: string | null;
}

/** What is stored for a user who has no password: none is right. */
export const noPassword: PasswordHash = { phc: "", pepperId: null };
