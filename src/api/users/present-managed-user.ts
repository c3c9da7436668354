import { create, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ManagedUser } from "../../domain/user/managed-user.ts";
import {
  type ManagedUser as ManagedUserMessage,
  ManagedUserSchema,
} from "../../gen/countersign/v1/users_pb.ts";

/** A user as administrators are shown it. */
export function presentManagedUser({ user, hasPassword, etag }: ManagedUser): ManagedUserMessage {
  const { username, email, displayName, locale, claims, lastLoginAt } = user;
  return create(ManagedUserSchema, {
    id: user.id,
    status: user.status,
    roles: [...user.roles],
    hasPassword,
    mustChangePassword: user.mustChangePassword,
    createdAt: timestampFromDate(user.createdAt),
    etag,
    ...(username === null ? {} : { username }),
    ...(email === null ? {} : { email }),
    ...(displayName === null ? {} : { displayName }),
    ...(locale === null ? {} : { locale }),
    // It was JSON when it was set.
    ...(claims === null ? {} : { claims: claims as JsonObject }),
    ...(lastLoginAt === null ? {} : { lastLoginAt: timestampFromDate(lastLoginAt) }),
  });
}
