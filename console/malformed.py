"""Requests that Django refuses to read, as the error that callers get: decided in one place for all interfaces."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    DisallowedRedirect,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)

from console.errors import InvalidInputException, SerializationException, ServiceError


class UnknownChoice(BadRequest):
    """A form was sent with a value that it does not offer."""

    def __init__(self, name: str, sent: str, offered: str) -> None:
        """Keep what the sentence says."""
        super().__init__(name)
        self.name, self.sent, self.offered = name, sent, offered


def refusal(error: BaseException) -> ServiceError | None:
    """The error as callers get it; None of one that is not the request's fault."""
    match error:
        case TooManyFieldsSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
            return InvalidInputException(f"The request has more than {most} fields or parameters; send fewer.")
        case TooManyFilesSent():
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            return InvalidInputException(f"The request has more than {most} files; send fewer at once.")
        case RequestDataTooBig():
            most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return SerializationException(f"The body is larger than {most} bytes, which is what is allowed.")
        case DisallowedHost():
            return InvalidInputException("The request names a host that is none of this server's; see ALLOWED_HOSTS.")
        case DisallowedRedirect():
            return InvalidInputException("The address is too long, or leads where the server sends nobody; shorten it.")
        case UnknownChoice():
            return InvalidInputException(f"{error.name} is {error.sent}, allowed is one of {error.offered}.")
        case BadRequest() | SuspiciousOperation():
            return InvalidInputException("The request cannot be read; load the page again, or check the program.")
        case _:
            return None


def unreadable_form() -> ServiceError:
    """The error of a form that has no readable parts."""
    return SerializationException("The form or its files cannot be read; send them again.")
