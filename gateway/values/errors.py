"""What can go wrong, by who must act. Each error knows its code; the model knows the code's status and title.

No message here may hold a credential or a provider's value that a caller did not send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self, TypedDict, Unpack


class Changes(TypedDict, total=False):
    """The fields of an error that a copy of it may have otherwise."""

    code: str
    detail: str
    details: Mapping[str, Any]
    provider: Mapping[str, Any]
    answered: bool
    retry_after: float | None


class GatewayError(Exception):
    """A failure with a stable code from `model/booking.yaml`.

    `detail` is one sentence for a person, `retry_after` is in seconds, `origin` is `file:line` of the mapping,
    `provider` is what the provider itself said (`name`, `code`, `message`). `rule` is the condition of the error rule
    that gave the error, if one did, as the mapping writes it; the rule stands at `origin`. `answered` tells whether it
    was met while an answer of the provider was read: what was asked for may be done.

    An error that was raised is never changed: others may hold it too, and its cause tells what was known when. Who
    knows more raises a copy of it (`copy_with`) from it.
    """

    CODE: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
        origin: str | None = None,
        provider: Mapping[str, Any] | None = None,
        rule: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code: Final = code or self.CODE
        self.detail: Final = detail
        self.details: Final[Mapping[str, Any]] = dict(details or {})
        self.retry_after: Final = retry_after
        self.origin: Final = origin
        self.provider: Final[Mapping[str, Any]] = dict(provider or {})
        self.rule: Final = rule
        self.answered: Final = False

    def copy_with(self, **changes: Unpack[Changes]) -> Self:
        """Give the same error with these fields instead; whoever raises it names this one as its cause."""
        copied = type(self).__new__(type(self), changes.get("detail", self.detail))
        vars(copied).update({**vars(self), **changes})
        copied.__cause__ = self.__cause__
        return copied

    @property
    def explanation(self) -> str:
        """The code and what explains it, for the log and the operator: a rule often says it by its code alone."""
        said = self.provider.get("message") or self.provider.get("code")
        rule = f"the rule at {self.origin} says so" if self.rule is not None else ""
        words = self.detail or (f"the provider says: {said}" if said else rule)
        return f"{self.code}: {words}" if words else self.code


class CallInvalid(GatewayError):
    """The caller must change the call; `details.fields` names the places."""

    CODE = "VALIDATION_ERROR"


class CallerRefused(GatewayError):
    """The caller's own key is missing, wrong (UNAUTHORIZED) or not enough (FORBIDDEN)."""

    CODE = "UNAUTHORIZED"


class SignatureInvalid(CallerRefused):
    """A provider's message is not proved to be the provider's. Whatever failed, its sender is told the same."""


class NotMapped(GatewayError):
    """There is no such connection, route or object here."""

    CODE = "NOT_FOUND"


class Unsupported(GatewayError):
    """The provider cannot do this; `details.capability` says what."""

    CODE = "UNSUPPORTED_OPERATION"


class ProviderRejected(GatewayError):
    """The provider said no, and an error rule of the mapping says which no."""

    CODE = "PROVIDER_ERROR"


class ProviderUnauthorised(GatewayError):
    """The provider refuses our credentials, also after one renewal: the operator must act."""

    CODE = "PROVIDER_AUTH_FAILED"


class TooManyCalls(GatewayError):
    """A limit of the gateway's own, before anything was sent; `details.limit` says which, `retry_after` how long."""

    CODE = "RATE_LIMITED"


class ProviderUnavailable(GatewayError):
    """No answer to be had. `sent` tells whether any byte may have reached the provider.

    `status` is the HTTP status when there was an answer and it said so itself (5xx).
    """

    CODE = "PROVIDER_UNAVAILABLE"

    def __init__(
        self,
        detail: str,
        *,
        sent: bool,
        timed_out: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(detail, code="PROVIDER_TIMEOUT" if timed_out else None, retry_after=retry_after)
        self.sent: Final = sent
        self.status: Final = status


class StepRefused(GatewayError):
    """A guard of the mapping (`refuse:`) ended the operation; the code is the guard's."""


class ProviderRedirected(GatewayError):
    """The provider answered with a redirect that the mapping does not explain; a write usually was done (303)."""

    CODE = "PROVIDER_ERROR"


class OutcomeUnknown(GatewayError):
    """A write was sent and its answer lost; it must not be sent again before someone has looked."""

    CODE = "OUTCOME_UNKNOWN"


class AnswerMismatch(GatewayError):
    """The provider answered and the mapping does not fit; names file, line and expression, never the value."""

    CODE = "PROVIDER_ERROR"


class MappingFault(GatewayError):
    """The mapping itself failed at run time (a template, a codec's encode): the integrator must act."""

    CODE = "MAPPING_ERROR"


class OverBudget(MappingFault):
    """One evaluation of the mapping computes or makes more than it may. No other answer of the provider mends it."""


class StoreUnavailable(GatewayError):
    """The store is out of reach, full or locked; nothing was accepted. The operator must act if it lasts.

    `reason` is what the database said, without any value of a statement. It is the operator's: `str()` tells it with
    the detail, callers are told the detail alone.
    """

    CODE = "STORE_UNAVAILABLE"

    def __init__(self, detail: str, *, retry_after: float | None = None, reason: str = "") -> None:
        super().__init__(detail, retry_after=retry_after)
        self.reason: Final = reason

    def __str__(self) -> str:
        return f"{self.detail.removesuffix('.')}: {self.reason}" if self.reason else self.detail
