// @node-oauth/oauth2-server on Express: opaque tokens, kept in Redis; users in PostgreSQL.
import OAuth2Server from "@node-oauth/oauth2-server";
import express from "express";
import { Redis } from "ioredis";
import { createUsers, findUser } from "./users.js";

await createUsers();
const redis = new Redis(process.env.REDIS_URL);
const client = {
  id: "api",
  grants: ["password", "refresh_token", "client_credentials"],
  accessTokenLifetime: 900,
  refreshTokenLifetime: 2_592_000,
};

const secondsUntil = (date) => Math.max(1, Math.ceil((date.getTime() - Date.now()) / 1000));

const read = async (key) => {
  const text = await redis.get(key);
  if (text === null) return undefined;
  const token = JSON.parse(text);
  for (const name of ["accessTokenExpiresAt", "refreshTokenExpiresAt"]) {
    if (token[name]) token[name] = new Date(token[name]);
  }
  return token;
};

const model = {
  getClient: async (id, secret) => (id === client.id && secret === "secret" ? client : undefined),
  getUser: findUser,
  getUserFromClient: async ({ id }) => ({ id }),
  async saveToken(token, { id }, user) {
    const kept = { ...token, client: { id, grants: client.grants }, user: { id: user.id } };
    const text = JSON.stringify(kept);
    const writes = redis
      .pipeline()
      .set(`a:${token.accessToken}`, text, "EX", secondsUntil(token.accessTokenExpiresAt));
    if (token.refreshToken) {
      writes.set(`r:${token.refreshToken}`, text, "EX", secondsUntil(token.refreshTokenExpiresAt));
    }
    await writes.exec();
    return kept;
  },
  getAccessToken: (token) => read(`a:${token}`),
  getRefreshToken: (token) => read(`r:${token}`),
  revokeToken: async ({ refreshToken }) => (await redis.del(`r:${refreshToken}`)) === 1,
  verifyScope: async () => true,
};

const oauth = new OAuth2Server({ model });
const app = express();
app.disable("x-powered-by");
app.use(express.urlencoded({ extended: false }));

app.post("/token", async (request, response) => {
  const answer = new OAuth2Server.Response(response);
  try {
    await oauth.token(new OAuth2Server.Request(request), answer);
  } catch (error) {
    response.status(error.code ?? 500).json({ error: error.name });
    return;
  }
  response.set(answer.headers).status(answer.status).json(answer.body);
});

app.post("/introspect", async (request, response) => {
  const caller = await model.getClient(request.body.client_id, request.body.client_secret);
  if (!caller) {
    response.status(401).json({ error: "invalid_client" });
    return;
  }
  const token = await model.getAccessToken(request.body.token);
  const active = token !== undefined && token.accessTokenExpiresAt > new Date();
  response.json(active ? { active, client_id: token.client.id, sub: token.user.id } : { active });
});

app.get("/me", async (request, response) => {
  try {
    const token = await oauth.authenticate(
      new OAuth2Server.Request(request),
      new OAuth2Server.Response(response),
    );
    response.json(token.user);
  } catch (error) {
    response.status(error.code ?? 500).json({ error: error.name });
  }
});

const credentials = "client_id=api&client_secret=secret";
const server = app.listen(0, "127.0.0.1", () => {
  const endpoints = {
    port: server.address().port,
    login: { path: "/token", before: `grant_type=password&${credentials}&` },
    refresh: { path: "/token", before: `grant_type=refresh_token&${credentials}&refresh_token=` },
    clientCredentials: { path: "/token", body: `grant_type=client_credentials&${credentials}` },
    introspect: { path: "/introspect", before: `${credentials}&token=` },
    me: { path: "/me" },
  };
  process.stdout.write(`${JSON.stringify(endpoints)}\n`);
});
