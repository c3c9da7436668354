import type { Config } from "../../config/config.ts";
import { unseal } from "../../domain/key/seal.ts";
import { createSecretKeys, type SecretKeys } from "../../domain/key/secret-keys.ts";
import { createSigningKeyStore, type SigningKeyRecord } from "../../domain/key/signing-key-store.ts";
import type { Database } from "../../postgres/pool.ts";
import { findSecretKeys } from "../../app/secret-keys.ts";
import { fail, type Finding, ok } from "./finding.ts";

const name = "signing keys";
const found = {
  name: "doctor.find-signing-keys",
  text: "select to_regclass('signing_keys') is not null as found",
};

/** Whether SECRET_KEY decrypts every signing key in the database, and which of its entries they depend on. */
export async function inspectSigningKeys(db: Database, config: Config): Promise<Finding[]> {
  const [table] = await db.query<{ found: boolean }>(found);
  const records = table?.found === true ? await createSigningKeyStore(db).list() : [];
  if (records.length === 0) return [ok(name, "there are none yet: the first start makes one")];
  const secrets = await findSecretKeys(config).catch(() => null);
  if (secrets === null) {
    return [
      fail(
        name,
        "there is no complete secret to decrypt them with",
        "restore the file secret-key in DATA_DIR",
      ),
    ];
  }
  const secretKeys = createSecretKeys(secrets);
  const lost = records.filter((record) => secretKeys.find(record.secretKeyId) === null);
  const damaged = records.filter(
    (record) => secretKeys.find(record.secretKeyId) !== null && !opens(record, secretKeys),
  );
  return [
    ...describeLost(lost),
    ...describeDamaged(damaged),
    ...describeGood(records, secrets, lost, damaged),
  ];
}

function describeLost(lost: readonly SigningKeyRecord[]): Finding[] {
  if (lost.length === 0) return [];
  const ids = [...new Set(lost.map(({ secretKeyId }) => secretKeyId))].join(", ");
  const mend = "put the secret back into SECRET_KEY, at the end of the list if another one is first now";
  return [fail(name, `${lost.length} depend on a secret that SECRET_KEY does not hold (id ${ids})`, mend)];
}

function describeDamaged(damaged: readonly SigningKeyRecord[]): Finding[] {
  if (damaged.length === 0) return [];
  const kids = damaged.map(({ kid }) => kid).join(", ");
  return [
    fail(name, `the stored form of ${kids} is damaged`, "restore the table signing_keys from a backup"),
  ];
}

function describeGood(
  records: readonly SigningKeyRecord[],
  secrets: readonly string[],
  lost: readonly SigningKeyRecord[],
  damaged: readonly SigningKeyRecord[],
): Finding[] {
  const count = records.length - lost.length - damaged.length;
  if (count === 0) return [];
  const used = secrets.flatMap((secret, index) => {
    const { id } = createSecretKeys([secret]).current;
    return records.some(({ secretKeyId }) => secretKeyId === id) ? [`${index + 1}`] : [];
  });
  return [
    ok(
      name,
      `SECRET_KEY decrypts ${count} of ${records.length}, which depend on its entry ${used.join(" and ")}`,
    ),
  ];
}

function opens(record: SigningKeyRecord, secretKeys: SecretKeys): boolean {
  const key = secretKeys.find(record.secretKeyId)?.derive("signing-key");
  try {
    return key !== undefined && unseal(key, record.kid, record.sealedPrivateKey).length > 0;
  } catch {
    return false;
  }
}
