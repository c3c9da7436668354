import { eventually } from "../../test/_harness/eventually.ts";
import type { TestUser } from "../../test/_harness/given.ts";
import type { Answer, Caller } from "./front.ts";

/** A session as its device sees it: the last refresh token that it was given. */
interface Device {
  token: string;
  isBusy: boolean;
}

/** The sessions of a run: those that refresh in it, those that lie still, and those that began in it. */
export interface Sessions {
  /** Signs in; the session is kept track of. */
  logIn(): Promise<Answer>;
  /** Refreshes the session that has waited longest. One that was not answered tries the same token again. */
  refresh(): Promise<Answer>;
  accessToken(): string;
  /** Refreshes every session; how many are lost, by now in all. */
  countLost(): Promise<number>;
}

const refreshing = 24;
const still = 10;
const startedMax = 40;
const finalRefreshMs = 20_000;

/** Signs in as often as is needed before the fault. */
export async function startSessions(call: Caller, user: TestUser): Promise<Sessions> {
  const signIn = () => call("/auth/login", { form: { ...user } });
  const devices: Device[] = [];
  let accessToken = "";
  while (devices.length < refreshing + still) {
    const { status, json } = await signIn();
    if (status !== 200) throw new Error(`A login before the fault was answered with ${status}.`);
    accessToken = String(json["access_token"]);
    devices.push({ token: String(json["refresh_token"]), isBusy: false });
  }
  const queue = devices.slice(0, refreshing);
  const started: Device[] = [];
  const lost = new Set<Device>();

  const refreshOne = async (device: Device): Promise<Answer> => {
    const answer = await call("/auth/refresh", { form: { refresh_token: device.token } });
    if (answer.status === 200) device.token = String(answer.json["refresh_token"]);
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) lost.add(device);
    return answer;
  };

  return {
    async logIn() {
      const answer = await signIn();
      if (answer.status === 200) {
        started.push({ token: String(answer.json["refresh_token"]), isBusy: false });
        if (started.length > startedMax) started.splice(Math.floor(startedMax / 2), 1);
      }
      return answer;
    },
    async refresh() {
      const index = queue.findIndex(({ isBusy }) => !isBusy);
      const [device] = queue.splice(Math.max(index, 0), 1);
      if (device === undefined) throw new Error("There is no session.");
      queue.push(device);
      device.isBusy = true;
      const answer = await refreshOne(device);
      device.isBusy = false;
      return answer;
    },
    accessToken: () => accessToken,
    async countLost() {
      const all = [...devices, ...started].filter((device) => !lost.has(device));
      await Promise.all(
        all.map((device) =>
          eventually(
            async () => (await refreshOne(device)).status === 200 || lost.has(device),
            finalRefreshMs,
            200,
          ).catch(() => lost.add(device)),
        ),
      );
      return lost.size;
    },
  };
}
