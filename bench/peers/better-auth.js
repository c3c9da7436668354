// better-auth: sign-in with an address and a password; users and sessions in PostgreSQL.
import { createServer } from "node:http";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { cost, pool, userCount } from "./users.js";

const options = {
  database: pool,
  secret: "bench-secret-0123456789-abcdefghijklmnop",
  baseURL: "http://127.0.0.1",
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (password) => hash(password, cost),
      verify: ({ hash: stored, password }) => verify(stored, password),
    },
  },
};
const { runMigrations } = await getMigrations(options);
await runMigrations();
const auth = betterAuth(options);
for (let number = 1; number <= userCount; number += 1) {
  const email = `user-${number}@example.test`;
  await auth.api.signUpEmail({ body: { email, name: `user-${number}`, password: process.env.PASSWORD } });
}

const server = createServer(toNodeHandler(auth)).listen(0, "127.0.0.1", () => {
  const endpoints = {
    port: server.address().port,
    login: {
      path: "/api/auth/sign-in/email",
      before: "",
      json: true,
      headers: { origin: "http://127.0.0.1" },
    },
  };
  process.stdout.write(`${JSON.stringify(endpoints)}\n`);
});
