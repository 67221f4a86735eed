"""A neighbour names what is not theirs: by every operation, every REST address, every page and every file that jobs wrote.

What AWS's own operations refuse is in test_every_operation.py; here are ours, and what pages and REST add to all of them. Each
address is asked by its owner, too: one that names nothing would be refused for the wrong reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from botocore.model import Shape
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from console import storage
from console.api.routes import routes
from console.errors import ServiceError
from console.models import JOBS, Account, AttributionReport, Member, MetricAttribution, Resource, Trash
from console.operations.base import call_by_wire_names
from console.shapes import OPERATION_MODELS, OURS, SERVICE_OF
from tests.addresses import patterns
from tests.aws.everything import World, build, good_calls, run_all
from tests.fuzz.staging import small_world

pytestmark = pytest.mark.slow

# What a call needs besides the ARN.
MEMBERS: dict[str, Any] = {
    "name": "new", "confirmation": "films", "userId": "u1", "itemId": "i1", "itemIds": ["i1"], "field": "Items.PRICE",
    "filterExpression": "INCLUDE ItemID WHERE Items.PRICE < 5", "dataLocation": "s3://of-the-neighbour/users.csv",
}  # fmt: skip
# Operations that name nothing by an ARN: where it is shown that they keep to the account.
ELSEWHERE = {
    "PreviewData": "locations: tests/operations/test_tenancy.py",
    "GetRecommendationTrace": "below",
    "ListTrash": "below",
    "ListAuditEntries": "below",
    "RestoreFromTrash": "below",
    "DeleteFromTrash": "below",
    "LoadSample": "makes something new",
}
PROMOTED = {"promotionPercent": 50}
NOT_FOUND, WRONG = "ResourceNotFoundException", "InvalidInputException"
# Pages that anybody has, whatever is in their addresses.
OF_EVERYBODY = {"recipes-detail", "samples-detail", "list-columns"}
FILLED = {
    "action": "stop",
    "file": "x.csv",
    "identifier": "RID-x",
    "what": "key",
    "word": "x",
    "uidb64": "x",
    "token": "x",
}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once for all tests of this file; each test's own changes are rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        world = build()
        _add_ours(world)
        small_world(world.other)
        yield world
        transaction.set_rollback(True)


def _add_ours(world: World) -> None:
    """What OpenPersonalize has besides AWS's resources."""
    with storage.open_write(storage.Location("work", "in/items.json")) as file:
        file.write(b'{"itemId": "i1"}\n')
    wanted = {"s3DataSource": {"path": "s3://work/in/items.json"}}
    world.call("CreateBatchSegmentJob", **good_calls(world)["CreateBatchSegmentJob"] | {"jobInput": wanted})
    run_all()
    arns = world.arns
    world.add("experiment", "CreateExperiment", name="bolder", campaignArn=arns["campaign top"],
              treatmentVersionArn=arns["waiting version"])  # fmt: skip
    world.add("insights", "CreateDataInsightsJob", datasetGroupArn=arns["group"])
    world.add(
        "evaluation", "CreateSharedEvaluation", solutionVersionArns=[arns["version top"], arns["waiting version"]]
    )
    world.call("LoadSample", sampleName="movielens-100k")
    with storage.open_write(storage.store("attribution/report.csv")) as file:
        file.write(b"METRIC\nviews\n")
    attribution = MetricAttribution.objects.get(account=world.account)
    AttributionReport.objects.create(
        metric_attribution=attribution, name="first", method="streamed", draft="attribution/report.csv", rows=1
    )
    run_all_but_samples()
    world.call(
        "CreateFilter", name="thrown", datasetGroupArn=arns["group"], filterExpression=MEMBERS["filterExpression"]
    )
    world.call("MoveToTrash", resourceArn=f"arn:aws:personalize:us-east-1:{world.account.number}:filter/thrown")


def run_all_but_samples() -> None:
    """Samples are downloaded."""
    JOBS["SampleLoad"].objects.all().update(status="ACTIVE")
    run_all()


def kinds() -> Iterator[type[Resource]]:
    """Every kind of resource."""
    left = [Resource]
    for kind in left:
        left += kind.__subclasses__()
        if not kind._meta.abstract:
            yield kind


def owned(account: Account) -> list[str]:
    """The ARNs of all that an account has."""
    return sorted({row.arn for kind in kinds() for row in kind.objects.for_account(account)})


def arn_members(shape: Shape) -> dict[str, bool]:
    """The members that hold an ARN of an account's, and whether it is a list of them."""
    return {
        name: member.type_name == "list"
        for name, member in shape.members.items()
        if name.endswith(("Arn", "Arns")) and name not in {"roleArn", "recipeArn"}
    }


def named(account: Account, member: str) -> list[str]:
    """The account's ARNs that a member of this name may hold."""
    stem = re.sub(r"Arns?$", "", member)
    stem = {"treatmentVersion": "solutionVersion", "baseline": "solutionVersion", "promotionFilter": "filter"}.get(
        stem, stem
    )
    words = re.sub(r"(?=[A-Z])", "-", stem).lower()
    arns = owned(account)
    if words == "resource":
        return arns
    if words == "solution-version":
        return [arn for arn in arns if re.search(r":solution/[^/]+/", arn)]
    return [arn for arn in arns if arn.split(":")[5].partition("/")[0] == words]


def outcome(operation: str, account: Account, members: dict[str, Any]) -> str:
    """What a call raises, "" if nothing; what it changes is undone."""
    with transaction.atomic():
        try:
            call_by_wire_names(operation, account, members)
            said = ""
        except ServiceError as error:
            said = error.code
        transaction.set_rollback(True)
    return said


@pytest.mark.parametrize("operation", [name for name in OPERATION_MODELS if SERVICE_OF[name] == OURS])
def test_no_operation_of_ours_reaches_another_account(world, db, operation):
    """Each ARN of the owner's, beside ARNs of the caller's own, is not found; or the call is wrong whoever makes it."""
    shape = OPERATION_MODELS[operation].input_shape
    members = arn_members(shape)
    assert bool(members) != (operation in ELSEWHERE) or operation == "ListAuditEntries"
    for member, is_list in members.items() if operation not in ELSEWHERE else ():
        arns, outcomes = named(world.account, member), set()
        for arn in arns:
            value = [arn, next(other for other in arns if other != arn)] if is_list else arn
            said = {
                account: outcome(operation, account, besides(account, shape, member) | {member: value})
                for account in (world.account, world.other)
            }
            assert said[world.other] == NOT_FOUND or said == dict.fromkeys(said, WRONG), (member, arn, said)
            outcomes.add(said[world.account])
        assert outcomes - {NOT_FOUND}, member


def besides(account: Account, shape: Shape, member: str) -> dict[str, Any]:
    """What a call needs besides one of its ARNs: values, and other ARNs of the caller's own."""
    needed = {name: MEMBERS[name] for name in shape.required_members if name in MEMBERS}
    if member in {"filterArn", "promotionFilterArn"}:
        return needed | {"campaignArn": named(account, "campaignArn")[-1]} | (PROMOTED if member != "filterArn" else {})
    for other, is_list in arn_members(shape).items():
        if other in shape.required_members and other != member:
            arns = named(account, other)
            needed[other] = arns[:2] if is_list else arns[0]
    return needed


ANY_KIND = {"resourceArn", "baselineArn"}  # names any resource; one of the versions beside it
WRONG_KINDS = {
    "recipe": "arn:aws:personalize:::recipe/aws-sims",
    "algorithm": "arn:aws:personalize:::algorithm/aws-sims",
    "feature-transformation": "arn:aws:personalize:::feature-transformation/sims",
}


@pytest.mark.parametrize("operation", list(OPERATION_MODELS))
def test_an_arn_of_another_kind_is_told_which_is_wanted(world, db, operation):
    """Each member of each operation that takes an ARN, with one ARN of each other kind."""
    shape = OPERATION_MODELS[operation].input_shape
    every = {kind_of(arn): arn for arn in owned(world.account)} | WRONG_KINDS
    taken = [name for name in shape.members if name.endswith(("Arn", "Arns"))] if shape else []
    for member in set(taken) - ANY_KIND - {"roleArn", "kmsKeyArn"}:
        wanted = wanted_kind(member)
        members = (
            good_calls(world)[operation] if SERVICE_OF[operation] != OURS else besides(world.account, shape, member)
        )
        members = {
            name: value for name, value in members.items() if not (member == "recommenderArn" and name == "campaignArn")
        }
        for kind, arn in every.items():
            if kind == wanted or (operation, kind) == ("GetSolutionVersionReport", "recommender"):
                continue
            value = [arn, f"{arn}x"] if shape.members[member].type_name == "list" else arn
            with transaction.atomic(), pytest.raises(ServiceError) as caught:
                call_by_wire_names(operation, world.account, members | {member: value})
            said = str(caught.value)
            told = (member, kind, said)
            assert caught.value.code == NOT_FOUND, told
            if (kind, wanted) == ("solution", "solution-version"):
                assert "solutionVersionArn is wanted" in said or "CreateSolutionVersion makes" in said, told
            else:
                assert f"{wanted.replace('-', ' ')} is wanted" in said or f"its {wanted} is" in said, told


def kind_of(arn: str) -> str:
    """What an ARN names, as messages say it with hyphens."""
    kind, _, name = arn.split(":", 5)[5].partition("/")
    return "solution-version" if kind == "solution" and "/" in name else kind


def wanted_kind(member: str) -> str:
    """The kind of resource that a member of this name takes."""
    stem = re.sub(r"Arns?$", "", member)
    known = {"treatmentVersion": "solutionVersion", "baseline": "solutionVersion", "promotionFilter": "filter"}
    return re.sub(r"(?=[A-Z])", "-", known.get(stem, stem)).lower()


def test_an_arn_of_another_account_is_told_whose_it_is(world, db):
    arn = next(arn for arn in owned(world.account) if kind_of(arn) == "campaign")
    for operation, more in (("DescribeCampaign", {}), ("GetRecommendations", {"userId": "u1"})):
        with pytest.raises(
            ServiceError, match=f"of the account {world.account.number}; the one that asks is {world.other.number}"
        ):
            call_by_wire_names(operation, world.other, {"campaignArn": arn} | more)


def test_the_trash_and_traces_are_an_accounts_own(world, db):
    thrown = Trash.objects.get(account=world.account)
    assert call_by_wire_names("ListTrash", world.account, {})["trash"]
    assert call_by_wire_names("ListTrash", world.other, {})["trash"] == []
    for operation in ("RestoreFromTrash", "DeleteFromTrash"):
        assert outcome(operation, world.other, {"trashId": str(thrown.pk)}) == "ResourceNotFoundException"
        assert outcome(operation, world.account, {"trashId": str(thrown.pk)}) == ""
    for arn in owned(world.account):
        assert call_by_wire_names("ListAuditEntries", world.other, {"resourceArn": arn})["auditEntries"] == []
    assert world.account.number not in str(call_by_wire_names("ListAuditEntries", world.other, {}))


def client_of(account: Account) -> Client:
    """The browser of an owner of an account."""
    user, _ = User.objects.get_or_create(username=f"owner-of-{account.name}")
    Member.objects.get_or_create(user=user, account=account, defaults={"role": Member.Role.OWNER})
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def templates() -> list[tuple[str, str]]:
    """Each page with something in its address: its name, and the address with `<name>` for what is to be filled in."""
    found = [
        (name, re.sub(r"<\w+:", "<", re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", place.replace("^", "").replace("$", ""))))
        for name, place in patterns()
    ]
    outside = ("api/", "aws", "ingest/", "accounts/", "settings/")
    return [(name, place) for name, place in found if "<" in place and not place.startswith(outside)]


def names_by_slug(account: Account) -> dict[str, list[str]]:
    """What pages call an account's resources, by the first part of their addresses."""
    found = defaultdict(list)
    for arn in owned(account):
        kind, _, name = arn.split(":", 5)[5].partition("/")
        found["solution-versions" if kind == "solution" and "/" in name else f"{kind}s"].append(name)
    return found


def addresses(world: World, place: str) -> list[str]:
    """The addresses of a page for all that the owner has of its kind."""
    by_slug = names_by_slug(world.account)
    slug = "experiments" if "/experiments/<" in place else place.partition("/")[0]
    known = {part: [value] for part, value in FILLED.items()} | {
        "slug": ["campaigns", "recommenders"],
        "label": list(JOBS),
        "campaign": by_slug["campaigns"],
        "pk": [str(pk) for pk in _numbers(world, place)],
        "name": by_slug["campaigns"] + by_slug["recommenders"] if slug == "<slug>" else by_slug[slug],
    }
    choices = {part: known[part] for part in re.findall(r"<(\w+)>", place)}
    assert all(choices.values()), (place, choices)
    found = []
    for values in product(*choices.values()):
        given = dict(zip(choices, values, strict=True))
        if "label" not in given or JOBS[given["label"]].objects.for_account(world.account).filter(pk=given["pk"]):
            found.append("/" + re.sub(r"<(\w+)>", lambda part, given=given: given[part[1]], place))
    return found


def _numbers(world: World, place: str) -> list[int]:
    """The numbers of the owner's rows that an address may hold."""
    if place.startswith("trash/"):
        return list(Trash.objects.filter(account=world.account).values_list("pk", flat=True))
    if "/reports/" in place:
        return list(AttributionReport.objects.values_list("pk", flat=True))
    return sorted({row.pk for model in JOBS.values() for row in model.objects.for_account(world.account)})


def test_no_page_shows_or_changes_what_a_neighbour_has(world, db):
    neighbour, owner = client_of(world.other), client_of(world.account)
    before = owned(world.account)
    for name, place in templates():
        if name in OF_EVERYBODY or place.startswith("lists/"):
            continue
        statuses = set()
        for address in addresses(world, place):
            for method in ("get", "post"):
                status = getattr(neighbour, method)(address).status_code
                is_trash = place.startswith("trash/") and status == 302  # whose page then says what was not found
                assert status in {404, 405} or is_trash, (name, method, address, status)
            with transaction.atomic():
                statuses.add(owner.get(address).status_code)
                transaction.set_rollback(True)
        assert statuses - {404} or name.endswith(("-result", "-rejects")), (name, place)  # files are looked at below
    assert owned(world.account) == before
    assert Trash.objects.filter(account=world.account).count() == 1


def test_no_list_deletes_what_a_neighbour_has(world, db):
    neighbour, before = client_of(world.other), owned(world.account)
    for slug, names in names_by_slug(world.account).items():
        for name in names:
            answer = neighbour.post(
                f"/lists/{slug}/delete/", {"chosen": [name], "confirmed": "1", "words": f"1 {slug}"}
            )
            assert answer.status_code in {302, 404}, (slug, name)
        neighbour.post(f"/lists/{slug}/delete/", {"all": "1", "confirmed": "1"})
    assert owned(world.account) == before


def test_no_rest_address_reaches_another_account(world, db):
    neighbour, owner, good = _caller(world.other), _caller(world.account), good_calls(world)
    by_slug = names_by_slug(world.account)
    for route in routes():
        slug = route.path.split("/")[0]
        if "<" not in route.path or slug in {"recipes", "algorithms", "feature-transformations"}:
            continue
        seen = set()
        for name in [world.arns["tracking"]] if "tracking_id" in route.path else by_slug[slug]:
            left = iter(name.split("/"))
            path = "/api/v1/" + re.sub(r"<str:\w+>", lambda _part, left=left: next(left, "x"), route.path)
            body = None if route.method in {"get", "delete"} else dict(good[route.operation])
            if body is not None and route.fills is not None:
                body = {key: value for key, value in body.items() if key not in {route.fills, "campaignArn"}}
            answer = getattr(neighbour, route.method)(path, body, format="json")
            expected = 400 if "tracking_id" in route.path else 404  # as AWS says it
            assert answer.status_code == expected, (route, path, answer.content)
            with transaction.atomic():
                seen.add(getattr(owner, route.method)(path, body, format="json").status_code)
                transaction.set_rollback(True)
        assert seen - {404}, route


def _caller(account: Account) -> APIClient:
    client = APIClient()
    client.force_login(User.objects.get_or_create(username=f"owner-of-{account.name}")[0])
    Member.objects.get_or_create(
        user=User.objects.get(username=f"owner-of-{account.name}"),
        account=account,
        defaults={"role": Member.Role.OWNER},
    )
    return client


def test_files_that_jobs_wrote_are_their_accounts(world, db):
    neighbour, owner = client_of(world.other), client_of(world.account)
    written = []
    for slug in ("dataset-export-jobs", "batch-inference-jobs", "batch-segment-jobs", "data-deletion-jobs"):
        for name in names_by_slug(world.account)[slug]:
            page = owner.get(f"/{slug}/{name}/").content.decode()
            written += re.findall(rf'/{slug}/{name}/(?:results/[^"?]+|results\.csv)', page)
    assert {address.split("/")[1] for address in written} >= {
        "dataset-export-jobs",
        "batch-inference-jobs",
        "batch-segment-jobs",
    }
    for address in written:
        assert owner.get(address).status_code == 200, address
        assert neighbour.get(address).status_code == 404, address
