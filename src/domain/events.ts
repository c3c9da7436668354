import type { AuditEvent, AuditEventType } from "./audit/audit-event.ts";
import type { Lane, RefusalCause, UnreadableCause } from "./password/queue/admission.ts";
import type { RefreshDecision } from "./session/rotation/decide-refresh.ts";
import type { SessionRef } from "./session/session.ts";
import type { PolicyName } from "./throttle/policies.ts";

/**
 * What happens in the domain that logs and metrics tell of, each with what is known of it; null for nothing. What every
 * login or refresh emits is a word or a number if it can be, so that it costs no object.
 */
export interface DomainEvents {
  /** A store has decided what a genuine refresh token of a live session means. */
  "session.refreshed": {
    readonly decision: RefreshDecision | "diverged";
    readonly store: "redis" | "postgres";
  };
  /** Redis did not answer a refresh, so that PostgreSQL decides. */
  "session.fell_back": null;
  /** A refresh token was used again after its grace, or the stores had diverged: the session has ended. */
  "session.reused": SessionRef;
  /** A refresh token was newer than the stores knew: they have lost a write. */
  "session.caught_up": SessionRef;
  /** A refresh token was replayed within its grace from elsewhere than it was rotated from. */
  "session.replayed_elsewhere": "answered" | "refused";
  /** What waits to be saved from Redis to PostgreSQL. `lagSeconds`: how long the oldest has waited; 0 if none waits. */
  "rotations.waiting": { readonly sessions: number; readonly lagSeconds: number };
  /** What waits could not be saved, for this error; it is tried again. */
  "rotations.save_failed": unknown;
  /** PostgreSQL refuses what Redis knows of a session, for this error. It is not tried again before the next rotation. */
  "rotations.save_refused": unknown;

  /** An event was written to the audit trail, or to its counts. */
  "audit.recorded": AuditEventType;
  /** An event could not be written; what it tells of has failed with it. */
  "audit.failed": AuditEventType;
  /** The database refuses a counted event for its content, so that so many are dropped. */
  "audit.dropped": { readonly event: AuditEvent; readonly count: number; readonly error: unknown };
  /** A flush of the counts has ended, well or not. */
  "audit.flushed": null;

  /** A limit has let an attempt through. */
  "limit.allowed": PolicyName;
  /** A limit has refused an attempt. */
  "limit.refused": PolicyName;
  /** Redis has gone, with this error: from here on this process counts the limits by itself. Once per change. */
  "limits.store_lost": unknown;
  /** Redis is back, and counts the limits again. */
  "limits.store_back": null;
  /** A limit's count in memory was forgotten before it was empty. */
  "limits.bucket_forgotten": null;
  /** So many instances run now. */
  "instances.changed": number;

  /** A password hash was not run. */
  "hash.refused": { readonly lane: Lane; readonly cause: RefusalCause };
  /** A password hash has begun. */
  "hash.started": { readonly lane: Lane; readonly waitedMs: number };
  /** A password hash has ended, well or not, after so many milliseconds. */
  "hash.ended": number;
  /** A password was to be compared with a stored hash that cannot be read: its user cannot sign in. */
  "hash.unreadable": UnreadableCause;
  /** A password hash could not be brought up to date, for this error; the login has succeeded all the same. */
  "hash.update_failed": unknown;
  /** The process that hashes passwords has ended by itself. */
  "hashing.lost": null;

  /** An access token was issued without roles: its user has too many. */
  "token.roles_left_out": null;
}

/** The name of something that happens. */
export type EventType = keyof DomainEvents;

/** The one way in which the domain says that something has happened. */
export interface Events {
  /** Never throws, and waits for nobody. */
  emit<Type extends EventType>(type: Type, what: DomainEvents[Type]): void;
}

/** What is done when something happens. */
export type EventHandlers = { readonly [Type in EventType]: (what: DomainEvents[Type]) => void };

/** Some of the handlers. */
export type HandlersOf<Type extends EventType> = Pick<EventHandlers, Type>;

/** For those whom nobody watches: commands, which print what they do themselves. */
export const noEvents: Events = { emit: () => undefined };

/** Calls a handler for whatever happens. One that fails is passed over: no request fails for a log line or a metric. */
export function createEvents(handlers: EventHandlers): Events {
  return {
    emit(type, what) {
      try {
        handlers[type](what);
      } catch {
        // There is nobody left to tell.
      }
    },
  };
}
