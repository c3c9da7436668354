import { createPrivateKey } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from "jose";
import { unseal } from "../../src/domain/key/seal.ts";
import { createSecretKeys } from "../../src/domain/key/secret-keys.ts";
import { readSigningKeys } from "./rows/signing-keys.ts";
import { type TestService, testSecretKey } from "./service.ts";
import { openSql } from "./sql.ts";

/** How a token is to differ from a genuine one. A claim that is undefined is left out. */
export interface TokenChanges {
  readonly header?: Readonly<Record<string, string>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Signs tokens that the service would not issue, with the service's own newest key.
 *
 * @param secret the entry of SECRET_KEY that the key is sealed with
 */
export async function createTokenSigner(
  service: Pick<TestService, "databaseUrl">,
  secret = testSecretKey,
): Promise<(genuine: string, changes: TokenChanges) => Promise<string>> {
  const key = await readSigningKey(service.databaseUrl, secret);
  return (genuine, { header = {}, claims = {} }) => {
    const { alg = "", ...rest } = decodeProtectedHeader(genuine);
    const all = JSON.parse(JSON.stringify({ ...decodeJwt(genuine), ...claims })) as JWTPayload;
    return new SignJWT(all).setProtectedHeader({ ...rest, alg, ...header }).sign(key);
  };
}

async function readSigningKey(
  databaseUrl: string,
  secret: string,
): Promise<ReturnType<typeof createPrivateKey>> {
  const sql = await openSql(databaseUrl);
  try {
    const row = (await readSigningKeys(sql)).at(-1);
    if (row === undefined) throw new Error("The service has no signing key.");
    const sealingKey = createSecretKeys([secret]).current.derive("signing-key");
    const der = unseal(sealingKey, row.kid, Buffer.from(row.sealed));
    return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  } finally {
    await sql.end();
  }
}
