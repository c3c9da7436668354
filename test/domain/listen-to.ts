import type { DomainEvents, EventHandlers, Events, EventType } from "../../src/domain/events.ts";

/** Events of which some are listened to, and all others are passed over. */
export function listenTo(handlers: Partial<EventHandlers>): Events {
  return {
    emit<Type extends EventType>(type: Type, what: DomainEvents[Type]) {
      handlers[type]?.(what);
    },
  };
}
