"""REST: paths, statuses, the one shape of errors, who may do what."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from console import storage
from console.api.routes import routes
from console.models import Event, Member, Token
from console.operations.base import OPERATIONS
from console.shapes import AWS_SERVICES, OPERATION_MODELS, SERVICE_OF
from console.tenancy import location_for
from tests.operations.worlds import dataset, group

GROUPS = "/api/v1/dataset-groups/"


def test_it_creates_retrieves_lists_and_deletes(alice):
    made = alice.post(GROUPS, {"name": "films"}, format="json")
    assert (made.status_code, made.json()["datasetGroupArn"].rpartition("/")[2]) == (201, "films")
    found = alice.get(f"{GROUPS}films/")
    assert (found.status_code, found.json()["datasetGroup"]["status"]) == (200, "ACTIVE")
    assert datetime.fromisoformat(found.json()["datasetGroup"]["creationDateTime"]).tzinfo
    assert [entry["name"] for entry in alice.get(GROUPS, {"maxResults": 5}).json()["datasetGroups"]] == ["films"]
    gone = alice.delete(f"{GROUPS}films/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert alice.get(f"{GROUPS}films/").status_code == 404


def test_lists_come_in_pages(alice):
    for name in "abc":
        alice.post(GROUPS, {"name": name}, format="json")
    first = alice.get(GROUPS, {"maxResults": 2}).json()
    second = alice.get(GROUPS, {"maxResults": 2, "nextToken": first["nextToken"]}).json()
    names = [entry["name"] for page in (first, second) for entry in page["datasetGroups"]]
    assert (names, "nextToken" in second) == (["c", "b", "a"], False)


def test_names_with_a_slash_and_actions(alice, account):
    table = dataset(account, "ITEMS")
    assert alice.get("/api/v1/datasets/films/ITEMS/").json()["dataset"]["datasetArn"] == table.arn
    items = {"items": [{"itemId": "1", "properties": '{"genres": "War"}'}]}
    assert alice.post("/api/v1/datasets/films/ITEMS/items/", items, format="json").status_code == 204
    made = alice.post(
        "/api/v1/event-trackers/", {"name": "t", "datasetGroupArn": table.dataset_group.arn}, format="json"
    )
    events = {"sessionId": "s", "eventList": [{"eventType": "click", "itemId": "1", "sentAt": "2026-01-01T00:00:00Z"}]}
    tracker = f"/api/v1/event-trackers/{made.json()['trackingId']}/events/"
    assert alice.post(tracker, events, format="json").status_code == 204
    assert Event.objects.get().timestamp == 1767225600


def test_tags_have_paths_of_their_own(alice, account):
    arn = group(account).arn
    tags = {"resourceArn": arn, "tags": [{"tagKey": "a", "tagValue": "1"}, {"tagKey": "b", "tagValue": "2"}]}
    assert alice.post("/api/v1/tags/", tags, format="json").status_code == 204
    assert alice.delete(f"/api/v1/tags/?resourceArn={arn}&tagKeys=a").status_code == 204
    assert alice.get("/api/v1/tags/", {"resourceArn": arn}).json() == {"tags": [{"tagKey": "b", "tagValue": "2"}]}


def test_recipes_are_the_same_for_everybody(alice):
    found = alice.get("/api/v1/recipes/aws-sims/").json()["recipe"]
    assert found["recipeArn"] == "arn:aws:personalize:::recipe/aws-sims"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("post", GROUPS, '{"name": "a b"}', 400, "InvalidInputException", "name"),
        ("post", GROUPS, "{}", 400, "InvalidInputException", "name"),
        ("post", GROUPS, '{"name": "a", "colour": "red"}', 400, "InvalidInputException", "colour"),
        ("post", GROUPS, r'{"name": "a", "\ud800": 1}', 400, "InvalidInputException", "?"),
        ("post", GROUPS, r'{"name": "a\ud800"}', 400, "InvalidInputException", "name"),
        ("post", GROUPS, '{"name": "a", "' + "x" * 70_000 + '": 1}', 400, "InvalidInputException", "x" * 100 + "…"),
        ("post", GROUPS, "null", 400, "SerializationException", None),
        ("post", GROUPS, "{", 400, "SerializationException", None),
        ("post", GROUPS, "[" * 100_000, 400, "SerializationException", None),
        ("post", GROUPS, " " * 6_000_000, 400, "SerializationException", None),
        ("post", GROUPS, '{"name": "films"}', 400, "ResourceAlreadyExistsException", "name"),
        ("put", GROUPS, "{}", 405, "MethodNotAllowedException", None),
        ("get", f"{GROUPS}?maxResults=many", "", 400, "InvalidInputException", "maxResults"),
        ("get", f"{GROUPS}?maxResults=0", "", 400, "InvalidInputException", "maxResults"),
        ("get", f"{GROUPS}?nextToken=%00", "", 400, "InvalidInputException", "nextToken"),
        ("get", f"{GROUPS}?colour=red", "", 400, "InvalidInputException", "colour"),
        ("get", f"{GROUPS}nothing/", "", 404, "ResourceNotFoundException", "datasetGroupArn"),
        ("get", "/api/v1/nothing/", "", 404, "ResourceNotFoundException", None),
        ("get", "/api/v1/dataset-groups", "", 404, "ResourceNotFoundException", None),
        ("delete", f"{GROUPS}films/", "", 409, "ResourceInUseException", "datasetGroupArn"),
    ],
)
def test_every_error_has_one_shape(alice, account, method, path, body, status, code, field):
    dataset(account, "ITEMS")
    answer = alice.generic(method.upper(), path, body, content_type="application/json")
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message", "field"}
    assert (answer.json()["code"], answer.json()["field"]) == (code, field)


def test_a_body_must_not_contradict_its_path(alice, account):
    body = {"trackingId": "other", "sessionId": "s", "eventList": []}
    answer = alice.post("/api/v1/event-trackers/abc/events/", body, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, "trackingId")


def test_a_body_that_is_not_json_is_refused(alice):
    answer = alice.post(GROUPS, {"name": "a"}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (415, "UnsupportedMediaTypeException")


@pytest.mark.parametrize("header", ["", "Bearer nobody", "Basic YTpi", "Bearer", "Bearer ü"])
def test_without_a_token_nothing_is_told(db, header):
    answer = APIClient().get(GROUPS, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert set(answer.json()) == {"code", "message", "field"}


def test_a_viewer_may_look_but_not_change(caller, account):
    viewer = caller(account, "viewer")
    assert viewer.get(GROUPS).status_code == 200
    answer = viewer.post(GROUPS, {"name": "films"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDeniedException")


def test_one_without_an_account_may_do_nothing(db):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(User.objects.create(username='bob'))}")
    assert client.get(GROUPS).status_code == 403


def test_one_who_was_locked_out_may_do_nothing(alice):
    User.objects.update(is_active=False)
    assert alice.get(GROUPS).status_code == 401


def test_another_account_sees_nothing(alice, caller, other_account):
    alice.post(GROUPS, {"name": "films"}, format="json")
    charlie = caller(other_account)
    assert charlie.get(f"{GROUPS}films/").status_code == 404
    assert charlie.delete(f"{GROUPS}films/").status_code == 404
    assert charlie.get(GROUPS).json()["datasetGroups"] == []


def test_a_browser_session_needs_the_csrf_token(account):
    user = User.objects.create(username="bob")
    Member.objects.create(user=user, account=account)
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(GROUPS).status_code == 200
    answer = client.post(GROUPS, {"name": "films"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "AccessDeniedException")


def test_it_takes_files(alice, account):
    data = b"USER_ID,ITEM_ID\n" * 1000
    answer = alice.post("/api/v1/uploads/", {"file": SimpleUploadedFile("../../my films.csv", data)})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["sizeBytes"], body["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    location = location_for(account, body["location"])
    assert location.key.startswith(f"{account.number}/")
    assert location.key.endswith("/my-films.csv")
    with storage.open_read(location) as file:
        assert file.read() == data


def test_an_upload_needs_a_file(alice, caller, account):
    assert alice.post("/api/v1/uploads/", {"other": "x"}).status_code == 400
    two = [SimpleUploadedFile(name, b"x") for name in ("a.csv", "b.csv")]
    refused = alice.post("/api/v1/uploads/", {"file": two})
    assert refused.status_code == 400
    assert "There are 2 files" in refused.content.decode()
    assert alice.post("/api/v1/uploads/", {}, format="json").status_code == 415
    file = SimpleUploadedFile("a.csv", b"x")
    assert caller(account, "viewer").post("/api/v1/uploads/", {"file": file}).status_code == 403


def test_every_operation_has_a_path():
    reached = {route.operation for route in routes()}
    assert reached == set(OPERATIONS)
    for name in OPERATIONS.keys() - reached:
        assert SERVICE_OF[name] not in AWS_SERVICES


def test_every_path_fills_a_member_that_there_is():
    for route in routes():
        shape = OPERATION_MODELS[route.operation].input_shape
        assert not route.fills or route.fills in shape.members, route


def test_the_document_describes_every_route(client, db):
    document = client.get("/api/v1/schema/?format=json").json()
    assert document["openapi"].startswith("3.1")
    documented = {(method, path) for path, entry in document["paths"].items() for method in entry}
    assert len(documented) == len(routes()) + 1  # uploads
    for path, entry in document["paths"].items():
        for method, operation in entry.items():
            assert operation["summary"], (method, path)
            assert {"400", "401", "403"} <= set(operation["responses"]), (method, path)
    known = document["components"]["schemas"]
    refs = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert refs <= set(known)


def test_the_document_is_yaml_otherwise_and_has_a_page(client, db):
    assert b"openapi: 3.1" in client.get("/api/v1/schema/").content
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"/api/v1/schema/" in client.get("/api/v1/docs/?script=").content
