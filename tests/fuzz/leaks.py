"""Two accounts that name each other's things: by wire, by REST and in the browser; nobody sees what is not theirs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from django.urls import get_resolver

from console.api.routes import Route, routes
from console.shapes import OPERATION_MODELS
from tests.fuzz.judging import Answer, Report, Sent, run_cases
from tests.fuzz.scene import Scene
from tests.fuzz.sending import InProcess
from tests.fuzz.values import DRAWS, Draw, mutated, names_of
from tests.fuzz.wire import envelope, signed

STEPS = 5
FIELDS = ["name", "q", "query", "group", "status", "sort", "page", "nextToken", "location", "dataLocation", "version", "versions", "user",
          "item", "userId", "itemId", "filter", "filterArn", "solution", "recipe", "dataset", "chosen"]  # fmt: skip


def fuzz(scene: Scene, transport: InProcess, report: Report, cases: int, seed: int) -> None:
    """Tell stories until `cases` requests were sent; each is undone at its end."""
    teller = Teller(scene, transport, report)
    transport.sign_in(scene.stranger.username)
    with report.timing("leaks"):
        run_cases(DRAWS, teller.story, max(1, cases // STEPS), seed)


class Teller:
    """Sends the requests of a story and remembers the ARNs that come back."""

    def __init__(self, scene: Scene, transport: InProcess, report: Report) -> None:
        self.scene, self.transport, self.report = scene, transport, report
        self.operations, self.routes = sorted(OPERATION_MODELS), routes()
        self.pages = sorted(page_templates())
        self.names: list[str] = []
        self.bare: list[str] = []

    def story(self, draw: Draw) -> None:
        """A few requests of both accounts, each seeing what those before did."""
        self.names = names_of(self.scene)
        self.bare = [name.rpartition(":")[2].partition("/")[2] or name for name in self.names]
        with self.transport.one_story():
            for _ in range(STEPS):
                match draw.dice.randrange(4):
                    case 0:
                        self._tell(self._page(draw))
                    case 1:
                        self._tell(self._rest(draw))
                    case _:
                        self._tell(self._wire(draw))

    def _tell(self, sent: Sent) -> None:
        answer = self.transport.send(sent)
        self.report.judge("leaks", sent, answer)
        if made := _arns(answer):
            self.names.extend(made)

    def _wire(self, draw: Draw) -> Sent:
        name = draw.dice.choice(self.operations)
        by_owner = draw.dice.randrange(3) == 0
        members = self._members(draw, name, by_owner=by_owner)
        path, target = envelope(name)
        body = json.dumps(members).encode()
        caller = self.scene.owner if by_owner else self.scene.stranger
        return Sent("POST", path, signed(caller, self.transport.host, path, target, body), body, name, by_owner)

    def _members(self, draw: Draw, name: str, *, by_owner: bool) -> dict[str, Any]:
        """The owner's good call; of a stranger with some ARNs put in place that are the stranger's own."""
        members = (
            mutated(draw, self.scene.good.get(name, {}), self.names)
            if draw.dice.randrange(3) == 0
            else dict(self.scene.good.get(name, {}))
        )
        own = {arn.split(":")[5].split("/")[0]: arn for arn in self.scene.own.values()}
        for key, value in members.items():
            kind = value.split(":")[5].split("/")[0] if isinstance(value, str) and value.count(":") >= 5 else ""
            if not by_owner and kind in own and draw.dice.randrange(2):
                members[key] = own[kind]
        return members

    def _rest(self, draw: Draw) -> Sent:
        route: Route = draw.dice.choice(self.routes)
        by_owner = draw.dice.randrange(3) == 0
        path = f"/api/v1/{filled(route.path, draw, self.bare)}"
        members = {
            key: value
            for key, value in self._members(draw, route.operation, by_owner=by_owner).items()
            if key != route.fills
        }
        body = b""
        if route.method in {"post", "patch"}:
            body = json.dumps(members).encode()
        else:
            plain = {key: value for key, value in members.items() if isinstance(value, str | int)}
            path += "?" + urlencode(plain, errors="replace")
        token = self.scene.owner.token if by_owner else self.scene.stranger.token
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return Sent(route.method.upper(), path, headers, body, f"{route.method} {route.path}", by_owner)

    def _page(self, draw: Draw) -> Sent:
        """A page in the stranger's browser."""
        template = draw.dice.choice(self.pages)
        path = "/" + filled(template, draw, self.bare)
        form = {
            field: draw.dice.choice([*self.names, *self.bare, draw.text, "1"]) for field in draw.dice.sample(FIELDS, 3)
        }
        written = urlencode(form, errors="replace")
        headers = {"HX-Request": "true"} if draw.dice.randrange(4) == 0 else {}
        if draw.dice.randrange(4) == 0:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return Sent("POST", path, headers, written.encode(), f"POST page {template}", by_owner=False)
        return Sent("GET", f"{path}?{written}", headers, b"", f"page {template}", by_owner=False)


def page_templates() -> set[str]:
    """The paths of all pages with a name, `campaigns/<str:name>/` as `campaigns/<name>/`."""
    resolver, found = get_resolver(), set()
    for name in resolver.reverse_dict:
        if isinstance(name, str):
            for bits, _, _, _ in resolver.reverse_dict.getlist(name):
                found.update(template.replace("%(", "<").replace(")s", ">") for template, _ in bits)
    return {each for each in found if not each.startswith(("api/", "aws")) and "logout" not in each}


def filled(template: str, draw: Draw, names: list[str]) -> str:
    """A path with names in the place of its parts."""
    found = ""
    for part in template.split("<"):
        inside, closing, rest = part.partition(">")
        if not closing:
            found += part
            continue
        value = (
            str(draw.dice.randrange(1, 12)) if inside.endswith("pk") else draw.dice.choice([*names, draw.text or "x"])
        )
        found += quote(value.encode(errors="replace"), safe="/") + rest
    return found


def _arns(answer: Answer) -> list[str]:
    body = answer.json() if answer.status in {200, 201} and len(answer.body) < 2000 else None
    return (
        [value for key, value in body.items() if key.endswith("Arn") and isinstance(value, str)]
        if isinstance(body, dict)
        else []
    )
