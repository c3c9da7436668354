import { create, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { Call, type CallRequest } from "../api/call.ts";
import type { MakeGuard } from "../api/guards/guard.ts";
import { validate } from "../api/guards/validate.ts";
import { createClientService } from "../api/clients/service.ts";
import { createKeyService } from "../api/keys/service.ts";
import { createFewStreams } from "../api/reading/few-streams.ts";
import { createRoleService } from "../api/roles/service.ts";
import { createRpcTable } from "../api/router.ts";
import { rpcName } from "../api/rpc-name.ts";
import { createUserService } from "../api/users/service.ts";
import { operator } from "../domain/role/administrator.ts";
import { randomHex } from "../lib/random-hex.ts";
import type { Core } from "./core.ts";

/**
 * Answers administrative calls in this process, as an operator's: by the same handlers as the service's, with its rules of
 * messages, and without a port. Failures are AppErrors.
 */
export function createCallsHere(
  core: Pick<Core, "manageUsers" | "manageClients" | "roles" | "keys">,
): Transport {
  const { byMethod } = createRpcTable(
    [
      createUserService({ ...core, streams: createFewStreams(), streamIdleMs: Number.POSITIVE_INFINITY }),
      createClientService(core),
      createRoleService(core),
      createKeyService({ keyAdmin: core.keys }),
    ],
    [asOperator, validate],
  );
  return {
    async unary(method, _signal, _timeoutMs, _header, input) {
      const rpc = byMethod.get(method);
      if (rpc?.kind !== "unary") throw notHere(rpcName(method));
      const call = new Call(createRequest(), null);
      // The table ties each method to a handler of its own types.
      const message = (await rpc.run(call, create(method.input, input))) as MessageShape<
        typeof method.output
      >;
      const fields = { header: new Headers(), trailer: new Headers() };
      return { stream: false, service: method.parent, method, ...fields, message };
    },
    stream: (method) => Promise.reject(notHere(rpcName(method))),
  };
}

const asOperator: MakeGuard = () => ({
  before(call) {
    call.administrator = operator;
    return undefined;
  },
});

function createRequest(): CallRequest {
  return {
    requestId: randomHex(32),
    clientAddress: "127.0.0.1",
    header: () => undefined,
    signal: new AbortController().signal,
    outcome: { userId: null },
    cookies: [],
    addedHeaders: {},
    nulls: [],
  };
}

function notHere(name: string): ConnectError {
  return new ConnectError(`${name} is not answered without a service.`, Code.Unimplemented);
}
