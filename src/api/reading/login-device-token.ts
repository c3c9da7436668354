import { isMessage, type Message } from "@bufbuild/protobuf";
import { LoginRequestSchema } from "../../gen/countersign/v1/auth_pb.ts";
import { IssueTokenRequestSchema } from "../../gen/countersign/v1/token_pb.ts";

/** The device token that a login shows, empty where it shows none; null for a request that is no login. */
export function readLoginDeviceToken(message: Message): string | null {
  if (isMessage(message, LoginRequestSchema)) return message.deviceToken;
  const isGrant = isMessage(message, IssueTokenRequestSchema) && message.grantType === "password";
  return isGrant ? message.deviceToken : null;
}
