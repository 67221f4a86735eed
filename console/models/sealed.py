"""A text that the database holds encrypted: Fernet with a key that lies outside the database (settings.ENCRYPTION_KEY)."""

from __future__ import annotations

import base64
import hashlib
import logging
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models

logger = logging.getLogger(__name__)


class SealedField(models.TextField):  # type: ignore[type-arg]
    """Reads and writes plain text; "" is what cannot be decrypted, as with another key than it was written with."""

    def get_prep_value(self, value: Any) -> Any:
        """The value encrypted."""
        return None if value is None else seal(str(value))

    def from_db_value(self, value: str | None, *_args: object) -> str | None:
        """The value in clear."""
        return None if value is None else opened(value)


def seal(text: str) -> str:
    """Encrypt a text."""
    return _fernet(settings.ENCRYPTION_KEY).encrypt(text.encode()).decode()


def opened(sealed: str) -> str:
    """Decrypt a text; "" if it was encrypted with another key."""
    try:
        return _fernet(settings.ENCRYPTION_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        logger.error("A secret cannot be decrypted: ENCRYPTION_KEY is not the one it was encrypted with.")  # noqa: TRY400
        return ""


@cache
def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
