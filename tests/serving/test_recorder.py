"""What is kept of an answer in the broker: short, whole, and readable where an earlier release wrote it."""

from __future__ import annotations

import json

import pytest

from console.serving import recorder

ANSWERS = {
    "list": {
        "source": "arn:aws:personalize:us-east-1:000000000000:campaign/films",
        "group": 7,
        "time": 1_764_550_000,
        "user": recorder.pseudonym(7, "user-1"),
        "items": [f"drama-{number}" for number in range(10)],
        "propensities": [1.0] * 8 + [0.271828, 0.314159],
        "scores": [],
        "explored": ["drama-8", "drama-9"],
        "beyondRelevance": ["drama-9"],
        "policy": {"recipe": "aws-user-personalization", "explorationWeight": 0.3, "cutOffDays": 30.0},
        "version": "artefacts/0123456789abcdef0123456789abcdef",
    },
    "actions": {"source": "arn", "group": 1, "time": 0, "actions": ["a", "b"]},
    "nobody's": {"source": "arn", "group": 1, "time": 0, "user": None, "items": []},
    "names of any kind": {"source": "ärn", "items": ["\0", "\x01", "日本", '"', "\\", "x" * 5_000]},
}


@pytest.fixture
def broker(monkeypatch):
    class Broker:
        """Keeps what is set, as bytes, and nothing of the order of answers."""

        kept: dict[str, bytes] = {}

        def pipeline(self, transaction):
            return self

        def set(self, key, value, ex):
            self.kept[key] = value if isinstance(value, bytes) else value.encode()

        def get(self, key):
            return self.kept.get(key)

        def mget(self, keys):
            return [self.kept.get(key) for key in keys]

        def lpush(self, *_):
            pass

        ltrim = expire = lpush

        def execute(self):
            pass

    found = Broker()
    found.kept.clear()
    monkeypatch.setattr(recorder, "_client", lambda: found)
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    return found


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_recalled_as_it_was(broker, kind):
    recorder.record("RID-1", ANSWERS[kind])
    recorder.flush()
    assert recorder.recall("RID-1") == ANSWERS[kind]
    assert recorder.recall_many(["RID-1", "RID-2"]) == {"RID-1": ANSWERS[kind]}


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_earlier_releases_wrote_is_read(broker, kind):
    broker.set("recommendation:RID-1", json.dumps(ANSWERS[kind]), ex=1)
    assert recorder.recall("RID-1") == ANSWERS[kind]
    assert recorder.recall_many(["RID-1"]) == {"RID-1": ANSWERS[kind]}


def test_a_list_takes_less_than_a_third_of_its_json(broker):
    recorder.record("RID-1", ANSWERS["list"])
    recorder.flush()
    assert 3 * len(broker.kept["recommendation:RID-1"]) < len(json.dumps(ANSWERS["list"]))
