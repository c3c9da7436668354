import type { SessionObserver } from "../domain/session/session-observer.ts";
import type { Log } from "../ops/logger.ts";

/** Writes to the log what is out of the ordinary with sessions, and passes everything on. */
export function logSessions(log: Log, next: SessionObserver): SessionObserver {
  const about = ({ id, userId }: { readonly id: string; readonly userId: string }) => ({
    session_id: id,
    user_id: userId,
  });
  let isSaving = true;
  return {
    ...next,
    onReuse(session) {
      log.warn(about(session), "a refresh token was used again after its grace; its session has ended");
      next.onReuse(session);
    },
    onCatchUp(session) {
      log.warn(about(session), "a refresh token is newer than the store, which has lost a write");
      next.onCatchUp(session);
    },
    onSaveFailed(error) {
      if (isSaving) {
        log.warn({ err: error }, "what Redis knows of sessions could not be brought to PostgreSQL yet");
      }
      isSaving = false;
      next.onSaveFailed(error);
    },
    onSaveRefused(error) {
      log.error({ err: error }, "PostgreSQL refuses what Redis knows of a session; it keeps what it knew");
      next.onSaveRefused(error);
    },
    onWaiting(sessions, lagSeconds) {
      isSaving ||= sessions === 0;
      next.onWaiting(sessions, lagSeconds);
    },
  };
}
