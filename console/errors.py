"""What can go wrong, once for all faces: exceptions named as the AWS codes.

Operations raise these; each face has one translator (aws/views.py, api/errors.py, web/forms.py) that turns them into a
botocore exception, a 4xx body or a form error. The message is a sentence a person can act on: what is wrong, the value,
what is allowed. `field` is the wire name of the member at fault, where one is.
"""

from __future__ import annotations

from typing import ClassVar

LONGEST_MESSAGE, LONGEST_FIELD = 2500, 100


class ServiceError(Exception):
    """The root of all errors that a caller gets."""

    status_code: ClassVar[int] = 400
    retry_after_s: ClassVar[int | None] = None  # when trying again makes sense; a header of the response

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Keep the sentence, fit for any encoding and log however odd the value it quotes, and the member at fault."""
        super().__init__(_fit(message, LONGEST_MESSAGE))
        self.field = None if field is None else _fit(field, LONGEST_FIELD)

    @property
    def code(self) -> str:
        """AWS's name of the error."""
        return type(self).__name__


def _fit(text: str, longest: int) -> str:
    """The text without what UTF-8 cannot say, cut where it is longer than anybody reads."""
    whole = text.encode(errors="replace").decode()
    return whole if len(whole) <= longest else f"{whole[:longest]}…"


class InvalidInputException(ServiceError):
    """A value breaks a rule."""


class InvalidNextTokenException(ServiceError):
    """A page token is not one of ours, or of another list."""


class LimitExceededException(ServiceError):
    """A quota is used up."""


class ResourceAlreadyExistsException(ServiceError):
    """The name is taken."""


class ResourceInUseException(ServiceError):
    """The resource is not in a state that allows this."""

    status_code = 409


class ResourceNotFoundException(ServiceError):
    """The ARN names nothing of this account."""

    status_code = 404


class TooManyTagsException(ServiceError):
    """A resource holds 50 tags at most."""


class TooManyTagKeysException(ServiceError):
    """A call names 50 tag keys at most."""


class SerializationException(ServiceError):
    """The body is not what the protocol says."""


class UnknownOperationException(ServiceError):
    """No operation of that name."""


class AccessDeniedException(ServiceError):
    """Known, but not allowed."""

    status_code = 403


class MissingAuthenticationToken(ServiceError):
    """Nobody signed the request."""

    status_code = 403


class IncompleteSignature(ServiceError):
    """The signature lacks a part."""

    status_code = 403


class InvalidSignatureException(ServiceError):
    """The signature does not match, or is too old."""

    status_code = 403


class UnrecognizedClientException(ServiceError):
    """The access key is not known here."""

    status_code = 403


class ThrottlingException(ServiceError):
    """Too many requests at once."""

    status_code = 429
    retry_after_s = 1


class ServiceUnavailableException(ServiceError):
    """Something the server needs is busy, full or away for a moment."""

    status_code = 503
    retry_after_s = 2


class DamagedModelException(ServiceError):
    """A model cannot be read and none stands in for it. Reported as unavailable, but no job is tried again for it."""

    status_code = 503
    retry_after_s = 30
    code = "ServiceUnavailableException"


class JobError(Exception):
    """A job cannot go on for a reason the user should read; it becomes the row's failureReason."""


class DamagedPartError(JobError):
    """The bytes of a dataset's part are not those that were written.

    Attributes:
        reason: what the reader says of them.
    """

    def __init__(self, message: str, reason: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.reason = reason


class UnavailableError(Exception):
    """What a job or a request needs is away for a moment. No JobError, as those end jobs for good."""
