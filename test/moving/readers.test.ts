import { describe, expect, test } from "@jest/globals";
import { readAuth0, readAuth0Hashes } from "../../src/cli/moving/auth0.ts";
import { readCsv } from "../../src/cli/moving/csv.ts";
import { readCsvRows } from "../../src/cli/moving/csv-rows.ts";
import { parseFirebaseParameters, readFirebase } from "../../src/cli/moving/firebase.ts";
import { itemCharsMax, readLines } from "../../src/cli/moving/items.ts";
import { readJsonItems } from "../../src/cli/moving/json-items.ts";
import { readKeycloak } from "../../src/cli/moving/keycloak.ts";
import { presentRecord, readNdjson } from "../../src/cli/moving/ndjson.ts";
import { emptyRecord } from "../../src/cli/moving/row-error.ts";
import { readSupabase } from "../../src/cli/moving/supabase.ts";
import { importHash } from "../../src/domain/password/stored-formats.ts";
import { firebaseHashes } from "../_harness/foreign-hashes.ts";
import { all, inParts, readInParts } from "./texts.ts";

const id = "6f1c2f6e-6f5b-4c4a-9d3e-2b8f0c1d2e3f";
const bcrypt = "$2a$10$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

describe("our own form, one JSON object a line", () => {
  const record = {
    ...emptyRecord,
    id,
    username: "anna",
    email: "anna@example.org",
    displayName: "Anna",
    locale: "de-AT",
    status: "suspended",
    roles: ["editor", "admin"],
    claims: { plan: { seats: 3 } },
    mustChangePassword: true,
    createdAt: new Date("2021-02-03T04:05:06.789Z"),
    lastLoginAt: new Date("2026-02-03T04:05:06.000Z"),
    passwordHash: bcrypt,
    pepperId: "01234567",
  };

  test("is read as it was written", async () => {
    expect(
      await readInParts(readNdjson, `${presentRecord(record)}\n\n${presentRecord(emptyRecord)}`),
    ).toEqual([
      { line: 1, record },
      { line: 3, record: emptyRecord },
    ]);
  });

  test.each([
    ["{", { field: "", code: "malformed", detail: "is no JSON" }],
    ["[]", { field: "", code: "malformed", detail: "is no JSON object" }],
    [`{"username":1}`, { field: "username", code: "wrong_type", detail: "must be a text" }],
    [`{"roles":"admin"}`, { field: "roles", code: "wrong_type", detail: "must be a list of texts" }],
    [`{"claims":[]}`, { field: "claims", code: "wrong_type", detail: "must be an object" }],
    [
      `{"must_change_password":"yes"}`,
      { field: "must_change_password", code: "wrong_type", detail: "must be true or false" },
    ],
    [`{"created_at":"yesterday"}`, { field: "created_at", code: "bad_form", detail: "must be a time" }],
    [
      `{"password":"hunter22"}`,
      { field: "", code: "unknown", detail: expect.stringMatching(/^has members other/) },
    ],
  ])("says what is wrong with %s, and goes on", async (text, problem) => {
    const [first, second] = await readInParts(readNdjson, `${text}\n{"username":"bert"}\n`);
    expect(first).toEqual({ line: 1, record: problem });
    expect(second).toEqual({ line: 2, record: { ...emptyRecord, username: "bert" } });
  });
});

test("a table is read by the names of its columns, with quotes and line breaks in cells", async () => {
  const table = `username,email,roles,password_hash\r\nanna,"anna@example.org","editor  reader","a ""b"", c"\r\n\r\n"be\nrt",,,\r\n`;
  expect(await readInParts(readCsv, table)).toEqual([
    {
      line: 2,
      record: {
        ...emptyRecord,
        username: "anna",
        email: "anna@example.org",
        roles: ["editor", "reader"],
        passwordHash: `a "b", c`,
      },
    },
    { line: 4, record: { ...emptyRecord, username: "be\nrt" } },
  ]);
  await expect(all(readCsvRows(inParts("a,b\n1,2,3\n", 100)))).rejects.toThrow("Line 2 has more cells");
});

test("a table's cells for what is no text are JSON", async () => {
  const table = `username,claims,must_change_password\nanna,"{""plan"": ""gold""}",true\nbert,,\ncarl,gold,\ndora,,1\n`;
  expect((await readInParts(readCsv, table)).map(({ record }) => record)).toEqual([
    { ...emptyRecord, username: "anna", claims: { plan: "gold" }, mustChangePassword: true },
    { ...emptyRecord, username: "bert" },
    { field: "claims", code: "wrong_type", detail: "must be an object" },
    { field: "must_change_password", code: "wrong_type", detail: "must be true or false" },
  ]);
});

describe("Keycloak's export of a realm", () => {
  const credential = (algorithm: string, iterations: number, additionalParameters: object = {}) => ({
    id: "c1",
    type: "password",
    createdDate: 1_700_000_000_000,
    secretData: JSON.stringify({
      value: "ZIPDLC3fFSqZpx2c+w3/SGUnSsscTSKhDNfAaImihuFCmjhtfaxBL8mJsF5lWmu4gf2WdK4a5NpAQKuiVmqpzw==",
      salt: "MDEyMzQ1Njc4OWFiY2RlZg==",
      additionalParameters: {},
    }),
    credentialData: JSON.stringify({ hashIterations: iterations, algorithm, additionalParameters }),
  });
  const user = {
    id,
    createdTimestamp: 1_690_000_000_000,
    username: "anna",
    enabled: true,
    totp: false,
    emailVerified: true,
    firstName: "Anna",
    lastName: 'of "{[the users]}"',
    email: "anna@example.org",
    credentials: [{ type: "otp", secretData: "{}", credentialData: "{}" }, credential("pbkdf2-sha256", 275)],
    disableableCredentialTypes: [],
    requiredActions: [],
    realmRoles: ["default-roles-demo", "offline_access", "uma_authorization", "editor", "admin"],
    clientRoles: { account: ["view-profile"] },
    notBefore: 0,
    groups: [],
    attributes: { locale: ["de"] },
  };
  const argon2 = credential("argon2", 5, {
    hashLength: ["32"],
    memory: ["7168"],
    type: ["id"],
    version: ["1.3"],
    parallelism: ["1"],
  });
  const users = [
    user,
    { ...user, enabled: false, credentials: [argon2], realmRoles: [] },
    { ...user, serviceAccountClientId: "backend" },
    { ...user, credentials: [credential("md5-crypt", 1)] },
    { username: "bert", lastName: "B." },
  ];
  const realm = {
    id: "demo",
    realm: "users",
    roles: { realm: [{ name: "users" }], client: {} },
    smtpServer: { users: "[1]" },
    users,
    clients: [{ clientId: "backend", users: [{ username: "nobody" }] }],
  };

  test.each([
    ["with the realm", realm],
    ["of users alone", { realm: "demo", users }],
  ])("is read, %s", async (_what, file) => {
    const read = (text: AsyncIterable<string>) => readKeycloak(text, { keptRoles: [] });
    const found = await readInParts(read, JSON.stringify(file, null, 2));
    const expected = {
      ...emptyRecord,
      id,
      username: "anna",
      email: "anna@example.org",
      displayName: `${user.firstName} ${user.lastName}`,
      locale: "de",
      createdAt: new Date(1_690_000_000_000),
    };
    expect(found.map(({ record }) => record)).toEqual([
      {
        ...expected,
        roles: ["editor"],
        passwordHash: expect.stringMatching(/^\$pbkdf2-sha256\$i=275\$MDEy.*\$ZIPD/),
      },
      {
        ...expected,
        status: "suspended",
        passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=7168,t=5,p=1\$MDEy/),
      },
      { field: "serviceAccountClientId", code: "not_allowed", detail: expect.any(String) },
      { field: "credentials", code: "invalid", detail: "have an algorithm that is not known" },
      { ...emptyRecord, username: "bert", displayName: "B." },
    ]);
    for (const { record } of found.slice(0, 2)) {
      expect("passwordHash" in record && "phc" in importHash(record.passwordHash ?? "")).toBe(true);
    }
    expect(found[1]?.line).toBeGreaterThan(found[0]?.line ?? 0);
  });

  test("gives a role that means something here to nobody, unless it is named", async () => {
    const text = JSON.stringify(realm);
    const [first] = await all(readKeycloak(inParts(text, 64), { keptRoles: ["admin"] }));
    expect(first?.record).toMatchObject({ roles: ["editor", "admin"] });
  });
});

test("Supabase's users are read: people with an address and no name", async () => {
  const table = [
    "instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,last_sign_in_at,raw_user_meta_data,created_at,banned_until,deleted_at",
    `00000000-0000-0000-0000-000000000000,${id},authenticated,authenticated,anna@example.org,${bcrypt},2023-06-01 10:11:12.123456+00,2024-01-02 03:04:05+00,"{""name"": ""Anna, A.""}",2023-06-01 10:11:12.000000+00,,`,
    `,${id},,,bert@example.org,,,,,2023-06-01 12:11:12+02,,`,
    `,${id},,,carl@example.org,${bcrypt},2023-06-01 10:11:12+00,NULL,,2023-06-01 10:11:12+00,2999-01-01 00:00:00+00,`,
    `,${id},,,dora@example.org,${bcrypt},2023-06-01 10:11:12+00,,,2023-06-01 10:11:12+00,,2024-01-01 00:00:00+00`,
    `,${id},,,,,,,,,,`,
  ].join("\n");
  const createdAt = new Date("2023-06-01T10:11:12Z");
  expect((await readInParts(readSupabase, table)).map(({ record }) => record)).toEqual([
    {
      ...emptyRecord,
      id,
      email: "anna@example.org",
      displayName: "Anna, A.",
      passwordHash: bcrypt,
      createdAt,
      lastLoginAt: new Date("2024-01-02T03:04:05Z"),
    },
    { ...emptyRecord, id, email: "bert@example.org", status: "pending", createdAt },
    { ...emptyRecord, id, email: "carl@example.org", status: "suspended", passwordHash: bcrypt, createdAt },
    { field: "deleted_at", code: "not_allowed", detail: expect.any(String) },
    { field: "email", code: "required", detail: expect.any(String) },
  ]);
  const [lacking] = await all(readSupabase(inParts("id,email\n1,a@b\n", 100)));
  expect(lacking?.record).toMatchObject({ field: "encrypted_password", code: "required" });
});

describe("Auth0", () => {
  const hashes = [
    {
      _id: { $oid: "60425dc43519d90068f82973" },
      email_verified: false,
      email: "anna@example.org",
      passwordHash: bcrypt,
      password_set_date: { $date: "2021-03-05T16:35:16.775Z" },
      tenant: "demo",
      connection: "Username-Password-Authentication",
      _tmp_is_unique: true,
    },
    {
      _id: { $oid: "60425dc43519d90068f82974" },
      alt_id: "euclid",
      identifiers: [
        { type: "username", value: "x" },
        { type: "email", value: "bert@example.org", verified: false },
      ],
      passwordHash: bcrypt,
    },
  ];
  const users = [
    {
      user_id: "auth0|60425dc43519d90068f82973",
      email: "anna@example.org",
      email_verified: true,
      name: "anna@example.org",
      blocked: true,
      created_at: "2021-03-05T16:35:16.775Z",
      last_login: "2022-03-05T16:35:16.775Z",
      identities: [{ user_id: "60425dc43519d90068f82973", provider: "auth0" }],
    },
    { user_id: "auth0|euclid", username: "bert", email: "bert@example.org", name: "Bert B." },
    { user_id: "google-oauth2|103547991597142817347", email: "carl@example.org" },
    { email: "dora@example.org" },
  ];
  const lines = (objects: readonly object[]): string =>
    objects.map((each) => JSON.stringify(each)).join("\n");

  test("its file of password hashes is read by itself", async () => {
    const read = (text: AsyncIterable<string>) => readAuth0(text, { hashes: new Map() });
    expect((await readInParts(read, lines(hashes))).map(({ record }) => record)).toEqual([
      {
        ...emptyRecord,
        id: "auth0|60425dc43519d90068f82973",
        email: "anna@example.org",
        passwordHash: bcrypt,
      },
      { ...emptyRecord, id: "auth0|euclid", email: "bert@example.org", passwordHash: bcrypt },
    ]);
  });

  test("its export is read with the hashes beside it", async () => {
    const found = await readAuth0Hashes(inParts(lines(hashes), 50));
    const read = (text: AsyncIterable<string>) => readAuth0(text, { hashes: found });
    expect((await readInParts(read, lines(users))).map(({ record }) => record)).toEqual([
      {
        ...emptyRecord,
        id: "auth0|60425dc43519d90068f82973",
        email: "anna@example.org",
        status: "suspended",
        passwordHash: bcrypt,
        createdAt: new Date("2021-03-05T16:35:16.775Z"),
        lastLoginAt: new Date("2022-03-05T16:35:16.775Z"),
      },
      {
        ...emptyRecord,
        id: "auth0|euclid",
        username: "bert",
        email: "bert@example.org",
        displayName: "Bert B.",
        passwordHash: bcrypt,
      },
      { ...emptyRecord, id: "google-oauth2|103547991597142817347", email: "carl@example.org" },
      { field: "user_id", code: "required", detail: "is missing" },
    ]);
    await expect(readAuth0Hashes(inParts("{}", 2))).rejects.toThrow(
      "Line 1 of the file of hashes cannot be read.",
    );
  });
});

describe("Firebase's export", () => {
  const [example] = firebaseHashes;
  if (example === undefined) throw new Error("there is none");
  const config = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: ${example.signerKey},
  base64_salt_separator: ${example.saltSeparator},
  rounds: ${example.rounds},
  mem_cost: ${example.memCost},
}`;
  const user = {
    localId: "kXw3Zp0QmVYb1n2s8RtL5uDe7Jf2",
    email: "anna@example.org",
    displayName: "Anna A.",
    emailVerified: true,
    passwordHash: example.hash,
    salt: example.salt,
    lastSignedInAt: "1704164645000",
    createdAt: "1685614272000",
    disabled: false,
    providerUserInfo: [{ providerId: "password" }],
  };

  test("is read with the parameters of its project: people with an address and no name", async () => {
    const parameters = parseFirebaseParameters(config);
    const users = [
      user,
      { ...user, disabled: true, passwordHash: undefined, salt: undefined },
      { ...user, passwordHash: "UkVEQUNURUQ=" },
      { ...user, email: undefined, phoneNumber: "+4912345" },
    ];
    const found = await readInParts((text) => readFirebase(text, { parameters }), JSON.stringify({ users }));
    const expected = {
      ...emptyRecord,
      id: user.localId,
      email: user.email,
      displayName: user.displayName,
      createdAt: new Date(1_685_614_272_000),
      lastLoginAt: new Date(1_704_164_645_000),
    };
    expect(found.map(({ record }) => record)).toEqual([
      { ...expected, passwordHash: expect.stringMatching(/^\$firebase-scrypt\$ln=14,r=8\$/) },
      { ...expected, status: "suspended" },
      { field: "passwordHash", code: "invalid", detail: expect.stringMatching(/^is REDACTED/) },
      { field: "email", code: "required", detail: expect.any(String) },
    ]);
  });

  test("needs all parameters, as the console shows them or in JSON", () => {
    const json = {
      algorithm: "SCRYPT",
      base64_signer_key: example.signerKey,
      base64_salt_separator: "Bw==",
      rounds: 8,
      mem_cost: 14,
    };
    expect(parseFirebaseParameters(JSON.stringify({ hash_config: json }))).toEqual(
      parseFirebaseParameters(config),
    );
    expect(() => parseFirebaseParameters(config.replace("rounds", "r"))).toThrow("rounds and mem_cost");
    expect(() => parseFirebaseParameters("")).toThrow("must have algorithm: SCRYPT");
  });
});

describe("a file that is none of users", () => {
  test.each([
    ["{}", 'The file holds no list of users, neither by itself nor as "users".'],
    [`{"users": {"a": [{}]}}`, "The file holds no list of users"],
    [`{"other": [{}], "x": "users"}`, "The file holds no list of users"],
    [`{"users": [{"a": 1}`, "The file ends too early, on line 1."],
  ])("%s is refused", async (text, sentence) => {
    await expect(all(readJsonItems(inParts(text, 3), "users"))).rejects.toThrow(sentence);
  });

  test("is refused where a record is longer than any", async () => {
    const long = "x".repeat(itemCharsMax + 1);
    await expect(all(readLines(inParts(long, 65_536)))).rejects.toThrow(
      "What begins on line 1 is longer than any record.",
    );
    await expect(all(readJsonItems(inParts(`[\n{"a":"${long}`, 65_536), "users"))).rejects.toThrow("line 2");
    await expect(all(readCsvRows(inParts(`a\n"${long}`, 65_536)))).rejects.toThrow("line 2");
  });
});

test("the objects of a list that is the whole text are found, and nothing within strings is taken for one", async () => {
  const objects = [{ a: '}{]["\\' }, { b: { c: [{}, {}] } }, {}];
  for (const chars of [1, 3, 1_000]) {
    const items = await all(readJsonItems(inParts(` ${JSON.stringify(objects)} `, chars), "users"));
    expect(items.map(({ text }) => JSON.parse(text) as unknown)).toEqual(objects);
  }
});
