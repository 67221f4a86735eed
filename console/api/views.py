"""One view for each path, made from the table of routes: path and query and body become members, the operation does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, Any

from botocore.model import Shape
from rest_framework import renderers
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from console import arns, limits, notices
from console.api.authentication import member_of
from console.api.documents import documented
from console.api.routes import Route
from console.errors import AccessDeniedException, InvalidInputException, SerializationException
from console.json_values import read_object
from console.models import Account
from console.operations import rights
from console.operations.auditing import acting_as
from console.operations.base import call_by_wire_names
from console.shapes import OPERATION_MODELS, JSONDict

MAX_BODY_BYTES = 5 * 2**20
WITHOUT_ACCOUNT = {"recipe", "algorithm", "feature-transformation"}
WORDS = {"true": True, "false": False}


class ObjectParser(BaseParser):
    """A JSON object of bounded size."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, context: Any = None) -> JSONDict:  # noqa: ARG002
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise SerializationException(f"The body is larger than {MAX_BODY_BYTES} bytes, which is what is allowed.")
        return read_object(body)


class JsonOnly(BaseContentNegotiation):
    """Answers are JSON whatever the client would like best."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        wanted = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  DRF's signature
        renderers: Iterable[Any],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[Any, str]:
        first = next(iter(renderers))
        return first, first.media_type


class BaseView(APIView):
    """What all paths share."""

    parser_classes = [ObjectParser]
    renderer_classes = [renderers.JSONRenderer]
    content_negotiation_class = JsonOnly
    http_method_names = ["get", "post", "patch", "delete", "head"]


class NothingHere(BaseView):
    """What answers where no path is."""

    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(f"There is nothing under {request.path}; paths end with a slash, /api/v1/docs/ lists them.")


def view_of(routes: list[Route]) -> Callable[..., Any]:
    """The view for all methods of one path."""
    handlers: dict[str, Any] = {route.method: documented(route, _handler(route)) for route in routes}
    view: type[BaseView] = type("OperationView", (BaseView,), handlers)
    return view.as_view()


def writer_or_reader(request: Request, operation: str) -> Account:
    """The caller's account, if the caller may call `operation` in it.

    Raises:
        AccessDeniedException: no account, or a role that does not open the operation.
    """
    member = member_of(request.user)
    if member is None:
        raise AccessDeniedException("You do not belong to an account; ask an administrator for a place in one.")
    rights.require(member, operation)
    limits.admit(member.account)
    acting_as(member.user.get_username(), "api")
    return member.account


def _handler(route: Route) -> Callable[..., Response]:
    def handle(view: BaseView, request: Request, **parts: str) -> Response:  # noqa: ARG001  a method
        account = writer_or_reader(request, route.operation)
        members = _members(route, request)
        if route.fills:
            named = _named(route, account, "/".join(parts.values()))
            if members.setdefault(route.fills, named) != named:
                raise InvalidInputException(
                    f"{route.fills} is {members[route.fills]}, but the path says {named}; leave it out of the body.",
                    field=route.fills,
                )
        with notices.collected() as found:
            result = call_by_wire_names(route.operation, account, members)
        if found:
            result = {"warnings": found} | result
        return Response(None if route.status == 204 else result, status=route.status)

    return handle


def _named(route: Route, account: Account, name: str) -> str:
    if not route.arn_type:
        return name
    return str(arns.Arn("" if route.arn_type in WITHOUT_ACCOUNT else account.number, route.arn_type, name))


def _members(route: Route, request: Request) -> JSONDict:
    if route.method not in {"get", "delete"}:
        return dict(request.data)
    shape = OPERATION_MODELS[route.operation].input_shape
    known = shape.members if shape else {}
    query = request.query_params
    return {name: _read(known[name], query.getlist(name)) if name in known else query[name] for name in query}


def _read(shape: Shape, texts: list[str]) -> Any:
    """A query parameter as its shape's type; what cannot be read so stays text, which validation then refuses."""
    match shape.type_name:
        case "list":
            return texts
        case "integer" | "long" if texts[-1].lstrip("-").isdecimal() and len(texts[-1]) < 20:
            return int(texts[-1])
        case "boolean":
            return WORDS.get(texts[-1].lower(), texts[-1])
        case _:
            return texts[-1]
