import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Clients } from "../../src/domain/client/clients.ts";
import type { ClientDraft } from "../../src/domain/client/managed-client.ts";
import type { ManageClients } from "../../src/domain/client/manage-clients.ts";
import { onlyOnce } from "../../src/domain/repeat/repeats.ts";
import { changingOperator } from "../../src/domain/role/administrator.ts";
import { postOf } from "../_harness/clients.ts";
import { openClientsElsewhere } from "../_harness/clients-elsewhere.ts";
import { startService, type TestService } from "../_harness/service.ts";

const ageMaxMs = 1000;
const origin = { requestId: "", clientAddress: "", userAgent: "" };

let service: TestService;
let elsewhere: ReturnType<typeof openClientsElsewhere>;
/** Another instance: it changes clients in this process, and the service has to learn of it. */
let clients: Clients;
let manage: ManageClients;
beforeAll(async () => {
  service = await startService();
  elsewhere = openClientsElsewhere(service.databaseUrl);
  ({ clients, manageClients: manage } = elsewhere);
}, 120_000);
afterAll(async () => {
  await elsewhere.close();
  await service.stop();
});

async function register(id = `client-${randomBytes(6).toString("hex")}`): Promise<Shown> {
  const grants = ["client_credentials"] as const;
  const draft: ClientDraft = {
    id,
    name: id,
    confidential: true,
    firstParty: false,
    grants,
    scopes: [],
    audiences: [],
    redirectUris: [],
    postLogoutRedirectUris: [],
    canIntrospect: false,
    accessTokenTtlSeconds: null,
    refreshGraceMs: null,
  };
  const { secret } = await manage.create(draft, changingOperator, onlyOnce);
  return { id, secret: secret ?? "" };
}

interface Shown {
  readonly id: string;
  readonly secret: string;
}

const of = ({ id }: Shown) => ({ id, etag: "", changer: changingOperator });

/** Whether a client's secret is right, as the service has it. */
async function isTaken(client: Shown): Promise<boolean> {
  const body = new URLSearchParams({ grant_type: "client_credentials", ...postOf(client) });
  const answer = await fetch(`${service.url}/auth/token`, { method: "POST", body });
  await answer.arrayBuffer();
  return answer.status === 200;
}

/** The same, as it is known where the client was changed. */
const isTakenHere = (client: Shown): Promise<boolean> =>
  clients.authenticate(client, origin).then(
    () => true,
    () => false,
  );

const changes: Readonly<Record<string, (client: Shown) => Promise<unknown>>> = {
  "was replaced": (client) => manage.rotateSecret(of(client)),
  "went with its client": (client) => manage.delete(of(client)),
};

describe.each(Object.entries(changes))("a client's secret that %s", (_, change) => {
  test("is refused at once by the instance that did it, and everywhere else within a second", async () => {
    const client = await register();
    expect([await isTaken(client), await isTakenHere(client)]).toEqual([true, true]);
    await change(client);
    expect(await isTakenHere(client)).toBe(false);
    // sleep: within this time is the promise.
    await sleep(ageMaxMs);
    expect(await isTaken(client)).toBe(false);
  });
});

test("a client's new secret, and a client of an id that was free a moment ago, are taken at once everywhere", async () => {
  const client = await register();
  expect(await isTaken(client)).toBe(true);
  const next = { ...client, secret: (await manage.rotateSecret(of(client))).secret ?? "" };
  expect(await isTaken(next)).toBe(true);
  await manage.delete(of(client));
  const anew = await register(client.id);
  expect([await isTaken(anew), await isTaken(next)]).toEqual([true, false]);
  const unknown = { id: `${client.id}-2`, secret: "" };
  expect(await isTaken(unknown)).toBe(false);
  expect(await isTaken(await register(unknown.id))).toBe(true);
});
