import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { ManageUsers } from "../../domain/user/manage-users.ts";
import type { ImportLine } from "../../domain/user/moving/import-users.ts";
import type { RecordProblem, UserRecord } from "../../domain/user/moving/user-record.ts";
import { AppError } from "../../errors/app-error.ts";
import type { ImportedUser, ImportUsersRequest, UserService } from "../../gen/countersign/v1/users_pb.ts";
import type { Handler } from "../handler.ts";
import type { FewStreams } from "../reading/few-streams.ts";
import { messagesInTime } from "../reading/messages-in-time.ts";
import { requireAdministrator } from "../reading/require-administrator.ts";

const refusalsMax = 1_000;
/** No user takes more, as JSON: an import holds 500 of them in memory. */
const userCharsMax = 16_384;

/** UserService.ImportUsers: POST /admin/users:import. @param idleMs how long the caller may send nothing */
export function importUsersRpc(
  users: Pick<ManageUsers, "import">,
  streams: Pick<FewStreams, "take">,
  idleMs: number,
): Handler<typeof UserService.method.importUsers> {
  return async (requests, call) => {
    const changer = requireAdministrator(call);
    const giveBack = streams.take(call);
    const messages = messagesInTime(requests, idleMs, call.signal);
    try {
      const first = await messages.next();
      if (first.done === true) return {};
      const refusals: { place: number; field: string; code: string; detail: string }[] = [];
      const counts = await users.import(toLines(first.value, messages), changer, {
        isDryRun: first.value.dryRun,
        onRefused(place, problem) {
          if (refusals.length < refusalsMax) refusals.push({ place, ...problem });
        },
      });
      return { ...counts, refusals };
    } finally {
      await messages.return(undefined);
      giveBack();
    }
  };
}

async function* toLines(
  first: ImportUsersRequest,
  others: AsyncIterable<ImportUsersRequest>,
): AsyncGenerator<ImportLine> {
  let line = 1;
  yield toLine(first, line);
  for await (const request of others) {
    if (request.dryRun !== first.dryRun) {
      throw new AppError("malformed_request", "The messages differ in dry_run.");
    }
    line += 1;
    yield toLine(request, line);
  }
}

function toLine({ user }: ImportUsersRequest, line: number): ImportLine {
  if (user === undefined) {
    return { line, record: { field: "", code: "required", detail: "must be a user" }, chars: 0 };
  }
  const record = readRecord(user);
  const chars = "detail" in record ? 0 : JSON.stringify(record).length;
  if (chars <= userCharsMax) return { line, record, chars };
  return { line, record: { field: "", code: "too_long", detail: "is longer than any user" }, chars: 0 };
}

function readRecord(user: ImportedUser): UserRecord | RecordProblem {
  const createdAt = readTime(user.createdAt);
  const lastLoginAt = readTime(user.lastLoginAt);
  if (createdAt === undefined) return noTime("created_at");
  if (lastLoginAt === undefined) return noTime("last_login_at");
  return {
    id: textOf(user.id),
    username: textOf(user.username),
    email: textOf(user.email),
    displayName: textOf(user.displayName),
    locale: textOf(user.locale),
    status: textOf(user.status) ?? "active",
    roles: [...new Set(user.roles)],
    claims: user.claims ?? null,
    mustChangePassword: user.mustChangePassword,
    createdAt,
    lastLoginAt,
    passwordHash: textOf(user.passwordHash),
    pepperId: textOf(user.passwordPepperId),
  };
}

/** An empty text is none, as in a file. */
function textOf(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

/** Null for none; undefined for what is no time. */
function readTime(time: Timestamp | undefined): Date | null | undefined {
  if (time === undefined) return null;
  const date = timestampDate(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function noTime(field: string): RecordProblem {
  return { field, code: "bad_form", detail: "must be a time" };
}
