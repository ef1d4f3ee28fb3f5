"""Refusals: one typed exception per reason, one sentence each, with the ids it is about."""

from http import HTTPStatus
from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Mark a sentence for translation where it is defined; it is translated where it is shown."""
    return message


class Refusal(Exception):
    """A use case says no. `sentence` takes its placeholders from the details."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    sentence: ClassVar[str] = N_("This request can't be carried out.")

    def __init__(self, **details: object) -> None:
        super().__init__(details)
        self.details = details

    @property
    def code(self) -> str:
        """The refusal's stable name for machines: its class name."""
        return type(self).__name__

    def __str__(self) -> str:
        return self.sentence % self.details


class Invalid(Refusal):
    """What was sent is not acceptable; `errors` maps each field to a sentence."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    sentence = N_("Some of what was entered can't be accepted.")

    @property
    def errors(self) -> dict[str, str]:
        found = self.details.get("errors")
        return found if isinstance(found, dict) else {}


class Unauthenticated(Refusal):
    status = HTTPStatus.UNAUTHORIZED
    sentence = N_("Please sign in first.")


class Forbidden(Refusal):
    status = HTTPStatus.FORBIDDEN
    sentence = N_("Your account may not do this.")


class NotFound(Refusal):
    status = HTTPStatus.NOT_FOUND
    sentence = N_("There is nothing at this address.")


class Conflict(Refusal):
    status = HTTPStatus.CONFLICT
    sentence = N_("This is no longer possible in the present state.")


class Unavailable(Refusal):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    sentence = N_("Too much was asked at once. Please try again in a moment.")


class TooManyRequests(Refusal):
    status = HTTPStatus.TOO_MANY_REQUESTS
    sentence = N_("Too many attempts. Please try again in %(minutes)s minutes.")
