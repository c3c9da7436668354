"""Verifies access tokens of one issuer for one service, without a request for each."""

from __future__ import annotations

import math
import re
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Collection, Iterable, Mapping, Sequence

from ._algorithms import ALGORITHMS
from ._issuer_keys import IssuerKeys
from ._jws import read_compact_jws, read_json_object
from .errors import FetchError, VerifyError

_REMEMBERED_MAX = 10_000


@dataclass(frozen=True)
class AccessToken:
    """What a genuine access token says (RFC 9068 section 2.2). Times are seconds since the epoch."""

    subject: str
    """The user's id; of a client's own token, the client's."""
    client_id: str
    session_id: str | None
    """None in a client's own token."""
    scopes: Sequence[str]
    roles: Sequence[str]
    """The user's roles when the token was issued."""
    issuer: str
    audience: Sequence[str]
    id: str
    issued_at: float
    expires_at: float
    not_before: float
    auth_time: float | None
    amr: Sequence[str]
    claims: Mapping[str, Any]
    """Every claim as it was sent."""


class Verifier:
    """
    A verifier by RFC 9068 section 4 and RFC 8725. A token that passed is remembered by its text, and then asked for its
    key and its times alone. Its methods may be called by several threads.

    issuer: as its tokens and its metadata spell it, such as ``https://id.example.com``
    audience: the audience that this service is; a token must name it, or one of several
    algorithms: those that are taken
    clock_tolerance: how far this machine's clock may be from the issuer's, in seconds
    jwks_uri: where the issuer's keys are; by default its metadata says it (RFC 8414)
    unknown_key_seconds: a key that is unknown is asked for at most once in so many seconds
    timeout: how many seconds an answer of the issuer is waited for
    allow_plain_http: takes an issuer by plain http elsewhere; whoever is between can then make tokens
    """

    def __init__(
        self,
        issuer: str,
        audience: str | Iterable[str],
        *,
        algorithms: Collection[str] = ALGORITHMS,
        clock_tolerance: float = 60,
        jwks_uri: str | None = None,
        unknown_key_seconds: float = 10,
        timeout: float = 5,
        allow_plain_http: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer, self._tolerance, self._now = issuer, clock_tolerance, now
        self._audiences = frozenset([audience] if isinstance(audience, str) else audience)
        self._algorithms = frozenset(algorithms)
        if not self._audiences or "" in self._audiences:
            raise ValueError("A verifier needs its service's audience.")
        if not self._algorithms or not self._algorithms <= set(ALGORITHMS):
            raise ValueError(f"algorithms must be some of {', '.join(ALGORITHMS)}.")
        if not 0 <= clock_tolerance <= 600:
            raise ValueError("clock_tolerance must be between 0 and 600.")
        self._keys = IssuerKeys(
            issuer, jwks_uri, self._algorithms, timeout, unknown_key_seconds, allow_plain_http
        )
        self._lock = threading.Lock()
        self._young: dict[str, tuple[str, AccessToken]] = {}
        self._old: dict[str, tuple[str, AccessToken]] = {}

    def start(self, timeout: float = 10) -> None:
        """Fetches the issuer's keys and keeps them fresh. Raises FetchError where they cannot be had in time."""
        self._keys.start(timeout)

    def stop(self) -> None:
        """Stops fetching keys."""
        self._keys.stop()

    def verify(self, token: str) -> AccessToken:
        """Raises VerifyError for every token that does not count now."""
        known = self._find_remembered(token)
        if known is not None and self._keys.find(known[0]) is not None:
            return self._require_timely(known[1])
        kid, verified = self._verify_anew(token)
        self._require_timely(verified)
        self._remember(token, (kid, verified))
        return verified

    def authorize(
        self, authorization: str | None, *, scopes: Iterable[str] = (), roles: Collection[str] = ()
    ) -> AccessToken:
        """
        Whose call it is, by the value of the Authorization field. The token needs all of the scopes and one of the
        roles, where some are given. Raises VerifyError.
        """
        token = self.verify(read_bearer(authorization))
        if not set(scopes) <= set(token.scopes):
            raise VerifyError("insufficient_scope")
        if roles and set(roles).isdisjoint(token.roles):
            raise VerifyError("insufficient_role")
        return token

    def _verify_anew(self, token: str) -> tuple[str, AccessToken]:
        jws = read_compact_jws(token)
        kid = self._require_header(jws.header)
        try:
            key = self._keys.find(kid) or self._keys.seek(kid)
        except FetchError as error:
            raise VerifyError("keys_unavailable") from error
        if key is None:
            raise VerifyError("unknown_key")
        # RFC 8725 section 3.1: the algorithm is the key's, and a token that names another is refused.
        if jws.header["alg"] != key.algorithm:
            raise VerifyError("algorithm_not_allowed")
        if not key.has_signed(jws.signed, jws.signature):
            raise VerifyError("bad_signature")
        verified = _read_access_token(jws.payload)
        if verified.issuer != self._issuer:
            raise VerifyError("wrong_issuer")
        if self._audiences.isdisjoint(verified.audience):
            raise VerifyError("wrong_audience")
        return kid, verified

    def _require_header(self, header: Mapping[str, Any]) -> str:
        """What a header must say before a key is looked for (RFC 7515 section 4.1.11, RFC 9068 section 4)."""
        kind, kid = header.get("typ"), header.get("kid")
        if "crit" in header:
            raise VerifyError("malformed")
        if not isinstance(kind, str) or not re.fullmatch(r"(?:application/)?at\+jwt", kind, re.IGNORECASE):
            raise VerifyError("wrong_type")
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise VerifyError("algorithm_not_allowed")
        if not isinstance(kid, str):
            raise VerifyError("unknown_key")
        return kid

    def _require_timely(self, token: AccessToken) -> AccessToken:
        now = self._now()
        if now >= token.expires_at + self._tolerance:
            raise VerifyError("expired")
        if now < token.not_before - self._tolerance:
            raise VerifyError("not_yet_valid")
        return token

    def _find_remembered(self, token: str) -> tuple[str, AccessToken] | None:
        found = self._young.get(token)
        if found is None and (found := self._old.get(token)) is not None:
            self._remember(token, found)
        return found

    def _remember(self, token: str, verified: tuple[str, AccessToken]) -> None:
        """Two generations: when the younger one is full the older one is forgotten."""
        with self._lock:
            if len(self._young) >= _REMEMBERED_MAX // 2:
                self._old, self._young = self._young, {}
            self._young[token] = verified


def read_bearer(authorization: str | None) -> str:
    """The token of an Authorization field (RFC 6750 section 2.1). Other schemes are no token."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise VerifyError("missing_token")
    token = token.lstrip(" ")
    if not token:
        raise VerifyError("malformed")
    return token


def _read_access_token(payload: bytes) -> AccessToken:
    claims = read_json_object(payload)
    audience = claims.get("aud")
    audience = [audience] if isinstance(audience, str) else audience
    scope, session_id = claims.get("scope", ""), claims.get("sid")
    roles, amr = claims.get("roles", []), claims.get("amr", [])
    not_before, auth_time = claims.get("nbf", 0), claims.get("auth_time")
    is_whole = (
        all(_is_text(claims.get(name)) for name in ("iss", "sub", "jti", "client_id"))
        and _is_texts(audience)
        and bool(audience)
        and all(_is_time(value) for value in (claims.get("iat"), claims.get("exp"), not_before))
        and (auth_time is None or _is_time(auth_time))
        and isinstance(scope, str)
        and (session_id is None or _is_text(session_id))
        and _is_texts(roles)
        and _is_texts(amr)
    )
    if not is_whole:
        raise VerifyError("invalid_claims")
    return AccessToken(
        subject=claims["sub"],
        client_id=claims["client_id"],
        session_id=session_id,
        scopes=tuple(name for name in scope.split(" ") if name),
        roles=tuple(roles),
        issuer=claims["iss"],
        audience=tuple(audience),
        id=claims["jti"],
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        not_before=not_before,
        auth_time=auth_time,
        amr=tuple(amr),
        claims=claims,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_time(value: object) -> bool:
    """A NumericDate (RFC 7519 section 2)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
