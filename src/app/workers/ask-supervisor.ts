import type { Admission } from "../../domain/password/queue/admission.ts";
import type { Commons } from "../commons.ts";
import type { SentAdmission, SupervisorCalls } from "./calls.ts";
import type { Channel } from "./channel.ts";

/** What the instance has once, asked of the supervisor. @param instances how many there are, as last told */
export function askSupervisor(supervisor: Channel<SupervisorCalls>, instances: () => number): Commons {
  return {
    hashing: {
      run: (works, admission) =>
        supervisor.call("hash", { works, admission: toSent(admission) }, admission.signal),
      async requireRoom(admission) {
        await supervisor.call("requireRoom", toSent(admission), admission.signal);
      },
    },
    buckets: {
      charge: (charges) => supervisor.call("charge", charges),
      async settle(settlements) {
        await supervisor.call("settle", settlements);
      },
    },
    instances,
    async forget(what) {
      await supervisor.call("forget", what);
    },
  };
}

function toSent({ key, lane, expiresAt }: Admission): SentAdmission {
  return { key, lane, leftMs: expiresAt === undefined ? null : expiresAt - performance.now() };
}

/** Reads what was sent. */
export function fromSent({ key, lane, leftMs }: SentAdmission, signal: AbortSignal): Admission {
  return { key, lane, signal, ...(leftMs === null ? {} : { expiresAt: performance.now() + leftMs }) };
}
