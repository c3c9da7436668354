"""Why a call is refused, by the names that every verifier of Countersign's tokens uses."""

from __future__ import annotations

from typing import Dict, Literal, Tuple

RefusalKind = Literal["unauthenticated", "denied", "unavailable"]

_REFUSALS: Dict[str, Tuple[RefusalKind, str]] = {
    "missing_token": ("unauthenticated", "The call has no access token."),
    "malformed": ("unauthenticated", "The access token is not a signed JWT."),
    "wrong_type": ("unauthenticated", "The token is not an access token."),
    "algorithm_not_allowed": ("unauthenticated", "The access token's algorithm is not allowed."),
    "unknown_key": ("unauthenticated", "The access token's key is not one of the issuer's."),
    "bad_signature": ("unauthenticated", "The access token's signature is wrong."),
    "invalid_claims": ("unauthenticated", "The access token lacks a claim, or one has a wrong form."),
    "wrong_issuer": ("unauthenticated", "The access token is another issuer's."),
    "wrong_audience": ("unauthenticated", "The access token is for another audience."),
    "not_yet_valid": ("unauthenticated", "The access token is not valid yet."),
    "expired": ("unauthenticated", "The access token has expired."),
    "insufficient_scope": ("denied", "The access token lacks a scope."),
    "insufficient_role": ("denied", "The user lacks a role."),
    "no_rule": ("denied", "Nothing says who may make this call."),
    "keys_unavailable": ("unavailable", "The issuer's keys cannot be had now."),
}


class VerifyError(Exception):
    """A call that is refused. Its text may be shown to the caller: it holds nothing of the token."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        """Why: a stable name, such as ``expired``."""
        self.kind, text = _REFUSALS[reason]
        super().__init__(text)

    @property
    def status(self) -> int:
        """The HTTP status of the refusal: 401, 403, or 503 where nothing can be said of the token now."""
        return {"unauthenticated": 401, "denied": 403, "unavailable": 503}[self.kind]

    @property
    def challenge(self) -> str | None:
        """The value of WWW-Authenticate (RFC 6750 section 3); None for 503."""
        if self.kind == "unavailable":
            return None
        if self.reason == "missing_token":
            return "Bearer"
        name = "insufficient_scope" if self.kind == "denied" else "invalid_token"
        return f'Bearer error="{name}", error_description="{self}"'


class FetchError(Exception):
    """A request that got no usable answer. Its text names the address and the cause, and no secret."""

    def __init__(self, message: str, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        """The seconds that Retry-After asked for."""
