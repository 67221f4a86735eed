"""STS's GetCallerIdentity: programs ask it for the account's number to put ARNs together. AWS's query protocol, XML."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs

from console import arns
from console.aws.sigv4 import Caller
from console.errors import UnknownOperationException

CONTENT_TYPE = "text/xml"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def answer(caller: Caller, body: bytes) -> bytes:
    """Who the caller is.

    Raises:
        UnknownOperationException: STS has other operations too; none of them makes sense here.
    """
    action = parse_qs(body.decode("ascii", "replace")).get("Action", [""])[0]
    if action != "GetCallerIdentity":
        raise UnknownOperationException(f"The operation of STS is {action[:40]}, allowed is GetCallerIdentity.")
    number = caller.account.number
    return (
        f'<GetCallerIdentityResponse xmlns="{NAMESPACE}"><GetCallerIdentityResult>'
        f"<Arn>arn:{arns.PARTITION}:iam::{number}:root</Arn><UserId>{caller.key_id}</UserId><Account>{number}</Account>"
        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    ).encode()


def error(code: str, message: str) -> bytes:
    """A refusal, as clients of STS read it; the message comes from here and has no mark-up."""
    safe = message.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{safe}</Message></Error>'
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    ).encode()
