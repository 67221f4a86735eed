"""Who sent an event. Pages that have no session send the word for it, such as null; visitors must not become one person by that."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

NOTHING = {
    "", "null", "undefined", "none", "nil", "nan", "nul", "na", "n/a", "\\n", "false", "true", "unknown", "void 0", "not set",
    "object object", "object null", "object undefined",
}  # fmt: skip
NO_SESSION = {
    "session", "sessionid", "session id", "session_id", "session-id", "your_session_id", "your-session-id", "yoursessionid",
    "no session", "nosession", "no_session", "no-session", "not_set", "default", "empty", "string", "anonymous", "guest",
}  # fmt: skip
UNFILLED = re.compile(r"\$.*|%[sd]|\{\{.*|<%.*|x+([-_]x+)+")  # a place in a template that nobody filled
NO_SESSION_NUMBER = re.compile(r"[0\W_]*|-1")  # 0, -, 0.0, -1, 00000000-0000-0000-0000-000000000000
EDGES = "[](){}<>\"'` \t\r\n"


@dataclass(frozen=True)
class Visitor:
    """Who an event is of; `user_id` is the session's id for those who are not signed in."""

    user_id: str
    session_id: str
    is_anonymous: bool
    has_session: bool


def visitor_of(session_id: str, user_id: str | None) -> Visitor:
    """Read the ids of an event; a session that is none gets an id of its own, which nobody else's events have.

    >>> visitor_of("s1", "alice")
    Visitor(user_id='alice', session_id='s1', is_anonymous=False, has_session=True)
    >>> visitor_of("null", None) == visitor_of("null", None)
    False
    """
    user = None if user_id is None or names_nothing(user_id) else user_id.strip()  # as ids of files are
    has_session = not names_no_session(session_id)
    session = session_id if has_session else f"no-session-{uuid.uuid4().hex}"
    return Visitor(user or session, session, user is None, has_session)


def names_nothing(text: str) -> bool:
    """Whether an id is a programming language's word for a missing value.

    >>> [names_nothing(text) for text in ("null", "[object Object]", "None", "0", "nullius")]
    [True, True, True, False, False]
    """
    return text.strip(EDGES).casefold() in NOTHING


def names_no_session(text: str) -> bool:
    """Whether a session id is such a word, a number that is none, or a word that anybody would send.

    >>> [names_no_session(text) for text in ("undefined", "0", "-", "sessionId", "s1", "17")]
    [True, True, True, True, False, False]
    """
    plain = text.strip(EDGES).casefold()
    is_word = plain in NOTHING or plain in NO_SESSION
    return is_word or any(form.fullmatch(plain) for form in (NO_SESSION_NUMBER, UNFILLED))
