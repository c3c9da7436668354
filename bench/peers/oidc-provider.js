// oidc-provider: its documented adapter shape over Redis, and the password grant as a custom grant; users in PostgreSQL.
import { generateKeyPairSync } from "node:crypto";
import { Redis } from "ioredis";
import { Provider } from "oidc-provider";
import { createUsers, findUser } from "./users.js";

await createUsers();
const redis = new Redis(process.env.REDIS_URL);
const consumable = new Set([
  "AuthorizationCode",
  "RefreshToken",
  "DeviceCode",
  "BackchannelAuthenticationRequest",
]);
const grantable = new Set(["AccessToken", "AuthorizationCode", "RefreshToken", "DeviceCode"]);

class RedisAdapter {
  constructor(name) {
    this.name = name;
  }
  key(id) {
    return `${this.name}:${id}`;
  }
  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const writes = redis.multi();
    if (consumable.has(this.name)) writes.hset(key, { payload: JSON.stringify(payload) });
    else writes.set(key, JSON.stringify(payload));
    if (expiresIn) writes.expire(key, expiresIn);
    if (grantable.has(this.name) && payload.grantId) {
      const list = `grant:${payload.grantId}`;
      writes.rpush(list, key);
      if (expiresIn) writes.expire(list, expiresIn);
    }
    await writes.exec();
  }
  async find(id) {
    if (!consumable.has(this.name)) {
      const text = await redis.get(this.key(id));
      return text === null ? undefined : JSON.parse(text);
    }
    const { payload, ...rest } = await redis.hgetall(this.key(id));
    return payload === undefined ? undefined : { ...JSON.parse(payload), ...rest };
  }
  async findByUid() {
    return undefined;
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    await redis.hset(this.key(id), "consumed", Math.floor(Date.now() / 1000));
  }
  async destroy(id) {
    await redis.del(this.key(id));
  }
  async revokeByGrantId(grantId) {
    const keys = await redis.lrange(`grant:${grantId}`, 0, -1);
    if (keys.length > 0) await redis.del(...keys, `grant:${grantId}`);
  }
}

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider("http://127.0.0.1", {
  adapter: RedisAdapter,
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "1" }] },
  clients: [
    {
      client_id: "api",
      client_secret: "secret",
      grant_types: ["password", "refresh_token", "client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
  },
  cookies: { keys: ["bench-cookie-key"] },
  rotateRefreshToken: true,
  ttl: { AccessToken: 900, ClientCredentials: 900, RefreshToken: 2_592_000, Grant: 2_592_000 },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

const scope = "offline_access";
provider.registerGrantType(
  "password",
  async (context) => {
    const { client, params } = context.oidc;
    const user = await findUser(params.username, params.password);
    if (user === undefined) {
      context.status = 400;
      context.body = { error: "invalid_grant" };
      return;
    }
    const grant = new provider.Grant({ accountId: user.id, clientId: client.clientId });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    const shared = { accountId: user.id, client, grantId, gty: "password", scope, expiresWithSession: false };
    const accessToken = new provider.AccessToken(shared);
    const refreshToken = new provider.RefreshToken({
      ...shared,
      rotations: 0,
      iiat: Math.floor(Date.now() / 1000),
    });
    context.body = {
      access_token: await accessToken.save(),
      refresh_token: await refreshToken.save(),
      expires_in: accessToken.expiration,
      token_type: "Bearer",
      scope,
    };
  },
  ["username", "password"],
);

const credentials = "client_id=api&client_secret=secret";
const server = provider.listen(0, "127.0.0.1", () => {
  const endpoints = {
    port: server.address().port,
    login: { path: "/token", before: `grant_type=password&${credentials}&` },
    refresh: { path: "/token", before: `grant_type=refresh_token&${credentials}&refresh_token=` },
    clientCredentials: { path: "/token", body: `grant_type=client_credentials&${credentials}` },
    introspect: { path: "/token/introspection", before: `${credentials}&token=` },
  };
  process.stdout.write(`${JSON.stringify(endpoints)}\n`);
});
