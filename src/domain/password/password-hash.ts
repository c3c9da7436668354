/** A stored password hash: a PHC string, or bcrypt's, and the id of the pepper that it was made with. */
export interface PasswordHash {
  readonly phc: string;
  readonly pepperId: string | null;
}
