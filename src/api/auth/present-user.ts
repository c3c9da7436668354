import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { UserProfile } from "../../domain/user/user.ts";
import { type User as UserMessage, UserSchema } from "../../gen/countersign/v1/auth_pb.ts";

/** A user as the contract shows it. */
export function presentUser(user: UserProfile): UserMessage {
  return create(UserSchema, {
    id: user.id,
    username: user.username ?? "",
    isActive: user.status === "active",
    status: user.status,
    roles: [...user.roles],
    createdAt: timestampFromDate(user.createdAt),
    ...(user.email === null ? {} : { email: user.email }),
    ...(user.lastLoginAt === null ? {} : { lastLoginAt: timestampFromDate(user.lastLoginAt) }),
  });
}
