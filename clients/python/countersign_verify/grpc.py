"""Guards the RPCs of a grpcio server."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Callable, Collection, Mapping

import grpc

from .errors import VerifyError
from .verifier import AccessToken, Verifier

_CODES = {
    "unauthenticated": grpc.StatusCode.UNAUTHENTICATED,
    "denied": grpc.StatusCode.PERMISSION_DENIED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}

_caller: ContextVar[AccessToken | None] = ContextVar("countersign_caller", default=None)


@dataclass(frozen=True)
class Rule:
    """Who may make a call: anyone, or whoever has a token with all of some scopes and one of some roles."""

    anyone: bool = False
    scopes: Collection[str] = ()
    roles: Collection[str] = ()


class AccessInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
    """
    For ``grpc.server(executor, interceptors=[...])``. An RPC without a rule is refused: silence means no.

    rules: by the path of each RPC, such as ``/orders.v1.OrderService/GetOrder``
    """

    def __init__(self, verifier: Verifier, rules: Mapping[str, Rule]) -> None:
        self._verifier, self._rules = verifier, dict(rules)

    def intercept_service(self, continuation: Callable[..., Any], details: Any) -> Any:
        handler = continuation(details)
        if handler is None:
            return None
        try:
            caller = self._authorize(details)
        except VerifyError as error:
            return _refuse(handler, error)
        return _with_caller(handler, caller)

    def _authorize(self, details: Any) -> AccessToken | None:
        rule = self._rules.get(details.method)
        if rule is None:
            raise VerifyError("no_rule")
        if rule.anyone:
            return None
        fields = [value for name, value in details.invocation_metadata if name == "authorization"]
        if len(fields) > 1:
            raise VerifyError("malformed")
        return self._verifier.authorize(fields[0] if fields else None, scopes=rule.scopes, roles=rule.roles)


def caller() -> AccessToken:
    """Whose call it is, inside its handler. Raises LookupError where the RPC admits anyone."""
    found = _caller.get()
    if found is None:
        raise LookupError("This RPC does not ask for a token.")
    return found


def _refuse(handler: Any, error: VerifyError) -> Any:
    def refuse(_request: Any, context: grpc.ServicerContext) -> None:
        context.abort(_CODES[error.kind], str(error))

    return _like(handler, refuse)


def _with_caller(handler: Any, found: AccessToken | None) -> Any:
    behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream

    def handle(request: Any, context: grpc.ServicerContext) -> Any:
        _caller.set(found)
        answer = behaviour(request, context)
        return _within(answer, found) if handler.response_streaming else answer

    return _like(handler, handle)


def _within(answers: Any, found: AccessToken | None) -> Any:
    """A stream's handler runs while its answers are taken, which may be in another thread each time."""
    iterator = iter(answers)
    while True:
        _caller.set(found)
        try:
            answer = next(iterator)
        except StopIteration:
            return
        yield answer


def _like(handler: Any, behaviour: Callable[[Any, grpc.ServicerContext], Any]) -> Any:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(behaviour, handler.request_deserializer, handler.response_serializer)
