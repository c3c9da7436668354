import type { AuditObserver } from "../domain/audit/audit.ts";
import type { HashingObserver } from "../domain/password/queue/admission.ts";
import type { SessionObserver } from "../domain/session/session-observer.ts";
import type { ThrottleObserver } from "../domain/throttle/throttle.ts";

/** Who is told of what happens, noun by noun. */
export interface CoreObservers {
  readonly audit: AuditObserver & {
    /** A flush of the counts has ended, well or not. */
    onFlushed(): void;
  };
  readonly hashing?: HashingObserver;
  readonly session: SessionObserver;
  readonly throttle: ThrottleObserver & {
    /** A bucket in memory was forgotten before it was empty. */
    onForgotten(): void;
    /** The number of instances has changed. */
    onInstances(count: number): void;
  };
  readonly tokens: {
    /** An access token was issued without roles: its user has too many. */
    onRolesLeftOut(): void;
    /** A password hash could not be brought up to date; the login has succeeded all the same. */
    onRehashFailed(error: unknown): void;
  };
}

const nothing = (): void => undefined;

/** For commands, which print what they do themselves. */
export const noObservers: CoreObservers = {
  audit: { onRecorded: nothing, onFailed: nothing, onDropped: nothing, onFlushed: nothing },
  session: {
    onRefresh: nothing,
    onFallback: nothing,
    onCatchUp: nothing,
    onReplayElsewhere: nothing,
    onWaiting: nothing,
    onSaveFailed: nothing,
    onSaveRefused: nothing,
    onReuse: nothing,
  },
  throttle: {
    onDecision: nothing,
    onStoreAway: nothing,
    onStoreBack: nothing,
    onForgotten: nothing,
    onInstances: nothing,
  },
  tokens: { onRolesLeftOut: nothing, onRehashFailed: nothing },
};
