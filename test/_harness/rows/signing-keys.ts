import { randomBytes } from "node:crypto";
import type { Sql } from "../sql.ts";

/** A signing key as its row has it. */
export interface SigningKeyRow {
  readonly kid: string;
  /** The private half, sealed with a secret key. */
  readonly sealed: Buffer;
  /** The id of that secret key. */
  readonly sealedBy: string;
  /** Seconds until it signs. */
  readonly signsIn: number;
  /** Seconds until it is forgotten; null while no other follows it. */
  readonly endsIn: number | null;
}

/** Every signing key, in the order in which they sign. */
export async function readSigningKeys(sql: Sql): Promise<SigningKeyRow[]> {
  const { rows } = await sql.query<SigningKeyRow>(
    `select kid, sealed_private_key as sealed, secret_key_id as "sealedBy",
       extract(epoch from activates_at - now())::float8 as "signsIn",
       extract(epoch from expires_at - now())::float8 as "endsIn" from signing_keys order by activates_at`,
  );
  return rows;
}

/** Lets a key sign from now on. */
export async function activateKey(sql: Sql, kid: string): Promise<void> {
  await sql.query("update signing_keys set activates_at = now() where kid = $1", [kid]);
}

/** Lets the last token that a key has signed be dead now. */
export async function expireKey(sql: Sql, kid: string): Promise<void> {
  await sql.query("update signing_keys set expires_at = now() where kid = $1", [kid]);
}

/** Lets every key be so many seconds older. */
export async function ageKeys(sql: Sql, seconds: number): Promise<void> {
  await sql.query(
    `update signing_keys set activates_at = activates_at - $1::int * interval '1 second',
      expires_at = expires_at - $1::int * interval '1 second'`,
    [seconds],
  );
}

/** Lets a key be the only one, which has signed for so many seconds and signs on. */
export async function keepOneKey(sql: Sql, kid: string, seconds: number): Promise<void> {
  await sql.query("delete from signing_keys where kid <> $1", [kid]);
  await sql.query(
    "update signing_keys set activates_at = now() - $1::int * interval '1 second', expires_at = null",
    [seconds],
  );
}

/** Publishes a key that signs in a day, with the halves of another one. @returns its id */
export async function publishKey(sql: Sql): Promise<string> {
  const kid = randomBytes(32).toString("base64url");
  await sql.query(
    `insert into signing_keys (kid, algorithm, public_jwk, sealed_private_key, secret_key_id, activates_at)
     select $1, algorithm, public_jwk, sealed_private_key, secret_key_id, now() + interval '1 day'
     from signing_keys limit 1`,
    [kid],
  );
  return kid;
}

/** Forgets every key that waits for its time to sign. */
export async function forgetPublishedKeys(sql: Sql): Promise<void> {
  await sql.query("delete from signing_keys where activates_at > now()");
}
