import { basicOf, type TestClient } from "../../test/_harness/clients.ts";
import { type Answer, type Caller, callerOf } from "./front.ts";
import type { Sessions } from "./sessions.ts";

/** What is called all the while. */
export interface Endpoint {
  readonly name: string;
  /** Within how many milliseconds an answer must be there. */
  readonly deadlineMs: number;
  call(): Promise<Answer>;
  /** Whether it is what a caller wants. */
  readonly isGood: (answer: Answer) => boolean;
}

/** What endpoints are called with. */
export interface Callers {
  readonly front: Caller;
  readonly sessions: Sessions;
  readonly client: TestClient;
  /** The private ports of the instances, as they are now. */
  readonly opsUrls: () => readonly string[];
}

/** DATABASE_TIMEOUT: what asks a store. */
const storeMs = 5_000;
/** What a probe waits for, where nothing else is said; and these ask no store. */
const probeMs = 1_000;

/** The columns of the table. All but the probes go through nginx. */
export function createEndpoints({ front, sessions, client, opsUrls }: Callers): readonly Endpoint[] {
  const isOk = ({ status }: Answer) => status === 200;
  const basic = basicOf(client);
  const get = (path: string, headers = {}) => front(path, { headers });
  const introspect = () =>
    front("/auth/introspect", { form: { token: sessions.accessToken() }, headers: basic });
  const issue = () => front("/auth/token", { form: { grant_type: "client_credentials" }, headers: basic });
  let turn = 0;
  const probe = (path: string) => () => {
    turn += 1;
    const urls = opsUrls();
    return callerOf(urls[Math.floor(turn / 2) % urls.length] ?? "")(path);
  };
  const onStore = { deadlineMs: storeMs, isGood: isOk };
  const onNone = { deadlineMs: probeMs, isGood: isOk };
  return [
    { name: "login", ...onStore, call: () => sessions.logIn() },
    { name: "refresh", ...onStore, call: () => sessions.refresh() },
    {
      name: "/auth/me",
      ...onStore,
      call: () => get("/auth/me", { authorization: `Bearer ${sessions.accessToken()}` }),
    },
    {
      name: "introspect",
      ...onStore,
      call: introspect,
      isGood: (answer) => isOk(answer) && answer.json["active"] === true,
    },
    { name: "client_credentials", ...onStore, call: issue },
    { name: "JWKS", ...onNone, call: () => get("/.well-known/jwks.json") },
    { name: "readyz", ...onNone, call: probe("/readyz") },
    { name: "livez", ...onNone, call: probe("/livez") },
  ];
}

/** Whether an answer is one that no fault of a store excuses: a refusal, or a live token called dead. */
export function isWrong({ isGood }: Endpoint, answer: Answer): boolean {
  const { status } = answer;
  if (status === 200) return !isGood(answer);
  return status > 200 && status < 500 && status !== 429;
}
