"""A page of another origin in a real browser: signed calls as SDKs make them, and events by the script with an ingest key."""

from __future__ import annotations

import json
import urllib.parse

import pytest

from tests.e2e.server import wait_until
from tests.web.browsing import PATIENCE_MS

SCHEMA = {
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [
        {"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
    ],
}  # fmt: skip
# AWS Signature Version 4 by the browser's own means, with the headers that SDKs send.
CALL = """
async ([endpoint, path, body, id, secret]) => {
  const text = new TextEncoder(), hex = (b) => [...new Uint8Array(b)].map((n) => n.toString(16).padStart(2, "0")).join("");
  const sha = async (s) => hex(await crypto.subtle.digest("SHA-256", text.encode(s)));
  const mac = async (key, s) => {
    const k = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return crypto.subtle.sign("HMAC", k, text.encode(s));
  };
  const date = new Date().toISOString().replace(/[-:]|\\.\\d{3}/g, ""), day = date.slice(0, 8), url = new URL(endpoint + path);
  const headers = { "content-type": "application/json", host: url.host, "x-amz-date": date, "x-amz-user-agent": "aws-sdk-js/3" };
  const names = Object.keys(headers).sort(), signed = names.join(";"), scope = `${day}/eu-west-1/personalize/aws4_request`;
  const lines = names.map((n) => `${n}:${headers[n]}\\n`).join("");
  const canonical = `POST\\n${url.pathname}\\n\\n${lines}\\n${signed}\\n${await sha(body)}`;
  let key = text.encode("AWS4" + secret);
  for (const part of scope.split("/")) key = await mac(key, part);
  const signature = hex(await mac(key, `AWS4-HMAC-SHA256\\n${date}\\n${scope}\\n${await sha(canonical)}`));
  delete headers.host;
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  const answer = await fetch(url, { method: "POST", body, headers });
  return { status: answer.status, code: answer.headers.get("x-amzn-errortype"), body: await answer.text() };
}
"""


@pytest.fixture(scope="module")
def tracker(server):
    """A tracker's id, and its ingest key as the page shows it."""
    aws = server.client("personalize")
    group = aws.create_dataset_group(name="pages")["datasetGroupArn"]
    schema = aws.create_schema(name="pages", schema=json.dumps(SCHEMA))["schemaArn"]
    aws.create_dataset(name="pages", datasetType="Interactions", datasetGroupArn=group, schemaArn=schema)
    return aws.create_event_tracker(name="pages", datasetGroupArn=group)


def called(page, server, path, body):
    keys = server.keys["aws_access_key_id"], server.keys["aws_secret_access_key"]
    return page.evaluate(CALL, [server.url, path, json.dumps(body), *keys])


@pytest.mark.parametrize("prefix", ["/aws", ""])
def test_signed_calls_from_another_origin_are_answered_readably(server, shop, tracker, prefix):
    page = shop()
    event = {"eventType": "click", "itemId": "i1", "sentAt": 1_700_000_000}
    body = {"trackingId": tracker["trackingId"], "userId": "u", "sessionId": "s", "eventList": [event]}
    assert called(page, server, f"{prefix}/events", body)["status"] == 200
    account = tracker["eventTrackerArn"].split(":")[4]
    arn = f"arn:aws:personalize:eu-west-1:{account}:campaign/none"
    refused = called(page, server, f"{prefix}/recommendations", {"campaignArn": arn, "userId": "u"})
    assert (refused["status"], refused["code"]) == (404, "ResourceNotFoundException")
    assert arn in refused["body"]


def test_the_script_sends_views_clicks_and_what_was_seen(server, shop, tracker, browser):
    key = _ingest_key(server, browser, tracker)
    bodies = []

    def opened(consent=""):
        page = shop(
            f"""<script async src="{server.url}/op.js" data-key="{key}" {consent}></script>
            <body data-op-view="film-1"><div data-op-list="RID-1">
            <button data-op-item="film-2">2</button><button data-op-item="film-3">3</button></div></body>"""
        )
        page.wait_for_function("typeof op === 'function' && !op.q")
        return page

    page = opened('data-consent="ask"')
    page.on("request", lambda request: "/ingest/" in request.url and bodies.append(request.post_data_json))
    page.wait_for_timeout(2500)
    assert not bodies
    assert page.evaluate("localStorage.length") == 0

    page.evaluate("op('consent', true); op('user', 'bob'); op('event', 'buy', 'film-9', {eventValue: 3}); op('flush')")
    page.get_by_text("3").click()
    page.evaluate("op('flush')")
    wait_until(lambda: _kinds(bodies) >= {"view", "buy", "click"}, 30)
    click = next(event for body in bodies for event in body["events"] if event["eventType"] == "click")
    assert set(click["impression"]) == {"film-2", "film-3"}
    assert click["recommendationId"] == "RID-1"
    name = urllib.parse.quote(tracker["eventTrackerArn"].rpartition("/")[2])
    wait_until(lambda: _events_taken(server, browser, name) >= 3, 30)

    page.evaluate("op('consent', false)")
    bodies.clear()
    page.evaluate("op('event', 'buy', 'film-9'); op('flush')")
    page.wait_for_timeout(300)
    assert not bodies
    assert page.evaluate("localStorage.getItem('op.session')") is None


def _kinds(bodies) -> set[str]:
    return {event["eventType"] for body in bodies for event in body["events"]}


def _signed_in(server, browser, path):
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(path)
    page.get_by_label("Username").fill(server.username)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    return page


def _ingest_key(server, browser, tracker) -> str:
    page = _signed_in(server, browser, f"/event-trackers/{tracker['eventTrackerArn'].rpartition('/')[2]}/")
    page.get_by_role("button", name="Create an ingest key").click()
    text = page.locator("pre", has_text="data-key").inner_text()
    page.context.close()
    return text.partition('data-key="')[2].partition('"')[0]


def _events_taken(server, browser, name) -> int:
    page = _signed_in(server, browser, f"/event-trackers/{name}/")
    count = page.locator("td", has_text="bob").count()
    page.context.close()
    return count
