// The users that every peer has: user-1, user-2, … with one password, in PostgreSQL, and how it is checked.
import { hash, verify } from "@node-rs/argon2";
import { Pool } from "pg";

export const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
export const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 4 });
export const userCount = Number(process.env.USERS);

export async function createUsers() {
  await pool.query("create table users (id text primary key, name text unique not null, hash text not null)");
  const one = await hash(process.env.PASSWORD, cost);
  await pool.query("insert into users select 'u' || n, 'user-' || n, $1 from generate_series(1, $2::int) n", [
    one,
    userCount,
  ]);
}

/** The user of a name and a right password; undefined otherwise. */
export async function findUser(name, password) {
  const { rows } = await pool.query({
    name: "find",
    text: "select id, name, hash from users where name = $1",
    values: [name],
  });
  const user = rows[0];
  return user && (await verify(user.hash, password)) ? user : undefined;
}
