import { type DescMethodUnary, fromJson, toJson } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { AuthService } from "../../src/gen/countersign/v1/auth_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";

/** The RPCs of AuthService with their REST bindings. */
const rpcs = {
  Login: { method: AuthService.method.login, verb: "POST", path: "/auth/login" },
  Refresh: { method: AuthService.method.refresh, verb: "POST", path: "/auth/refresh" },
  Logout: { method: AuthService.method.logout, verb: "POST", path: "/auth/logout" },
  ChangePassword: { method: AuthService.method.changePassword, verb: "POST", path: "/auth/change-password" },
  ListSessions: { method: AuthService.method.listSessions, verb: "GET", path: "/auth/sessions" },
  RevokeSession: { method: AuthService.method.revokeSession, verb: "DELETE", path: "/auth/sessions/" },
  RevokeAllSessions: { method: AuthService.method.revokeAllSessions, verb: "DELETE", path: "/auth/sessions" },
  GetCurrentUser: { method: AuthService.method.getCurrentUser, verb: "GET", path: "/auth/me" },
} as const satisfies Record<string, { method: DescMethodUnary; verb: string; path: string }>;

/** A call of one RPC. */
export interface DoorCall {
  readonly rpc: keyof typeof rpcs;
  /** The request's fields under their proto names. */
  readonly input?: Readonly<Record<string, string>>;
  /** An access token. */
  readonly bearer?: string;
}

/** How it ended, whatever it went by. */
export interface DoorAnswer {
  /** Null for a success. */
  readonly reason: string | null;
  /** The fields that a failure names. */
  readonly fields: readonly string[];
  /** The HTTP status; null over gRPC. */
  readonly status: number | null;
  /** The message, with unset members as they are shown. Empty for a failure. */
  readonly message: Readonly<Record<string, unknown>>;
}

/** Whether an answer has this status, or came by a protocol that has none. */
export function hasStatus(answer: DoorAnswer, status: number): boolean {
  return answer.status === null || answer.status === status;
}

/** A way in. */
export interface Door {
  call(call: DoorCall): Promise<DoorAnswer>;
  close(): void;
}

/** The names of the ways in. */
export const doorNames = ["REST with a form", "REST with JSON", "gRPC"] as const;
/** One of them. */
export type DoorName = (typeof doorNames)[number];

/** Opens the ways in of a service, each with a real client. */
export function openDoors(url: string): Readonly<Record<DoorName, Door>> {
  return {
    "REST with a form": openRest(url, "application/x-www-form-urlencoded"),
    "REST with JSON": openRest(url, "application/json"),
    gRPC: openGrpc(url),
  };
}

function openRest(url: string, contentType: string): Door {
  return {
    async call({ rpc, input = {}, bearer }) {
      const { verb, path } = rpcs[rpc];
      const headers: Record<string, string> =
        bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      const init: RequestInit = { method: verb, headers };
      if (verb === "POST") {
        headers["content-type"] = contentType;
        init.body = contentType.endsWith("json")
          ? JSON.stringify(input)
          : new URLSearchParams(input).toString();
      }
      const last = rpc === "RevokeSession" ? encodeURIComponent(input["session_id"] ?? "") : "";
      return readRest(await fetch(url + path + last, init));
    },
    close: () => undefined,
  };
}

async function readRest(answer: Response): Promise<DoorAnswer> {
  const text = await answer.text();
  const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  const { status } = answer;
  if (status < 300) return { reason: null, fields: [], status, message: body };
  const errors = (body["errors"] ?? []) as unknown as readonly { readonly field: string }[];
  return { reason: String(body["reason"]), fields: errors.map(({ field }) => field), status, message: {} };
}

function openGrpc(url: string): Door {
  const sessionManager = new Http2SessionManager(url);
  const transport = createGrpcTransport({ baseUrl: url, sessionManager });
  return {
    async call({ rpc, input = {}, bearer }) {
      const method: DescMethodUnary = rpcs[rpc].method;
      const headers: Record<string, string> =
        bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      try {
        const request = fromJson(method.input, { ...input });
        const { message } = await transport.unary(method, undefined, undefined, headers, request);
        const json = toJson(method.output, message, { useProtoFieldName: true, alwaysEmitImplicit: true });
        return { reason: null, fields: [], status: null, message: json as Record<string, unknown> };
      } catch (error) {
        return readConnectError(error);
      }
    },
    close: () => sessionManager.abort(),
  };
}

function readConnectError(error: unknown): DoorAnswer {
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info === undefined) throw error;
  const [badRequest] = error.findDetails(BadRequestSchema);
  const fields = (badRequest?.fieldViolations ?? []).map(({ field }) => field);
  return { reason: info.reason, fields, status: null, message: {} };
}
