"""The library from the shell: what it writes, and one line for each mistake."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from recipes.__main__ import main
from tests.recipes import worlds


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with interactions.csv and items.csv of a small world, numeric ids."""
    monkeypatch.chdir(tmp_path)
    data = worlds.tasteful()
    events = data.interactions
    types = pa.array(events.event_types)
    table = pa.table(
        {
            "USER_ID": [worlds.number(data.user_ids[user]) for user in events.user_index],
            "ITEM_ID": [worlds.number(data.item_ids[item]) for item in events.item_index],
            "TIMESTAMP": events.timestamp,
            "EVENT_TYPE": types.take(pa.array(events.event_type)),
        }
    )
    csv.write_csv(table, tmp_path / "interactions.csv")
    csv.write_csv(pa.table({"ITEM_ID": [str(item) for item in range(60)], "GENRE": ["comedy"] * 60}), "items.csv")
    return tmp_path


@pytest.fixture
def trained(folder, capsys):
    assert main(["train", "interactions.csv", "--recipe", "aws-sims", "--out", "model", "--holdout", "none"]) == 0
    capsys.readouterr()
    return folder


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def recommended(capsys) -> dict[str, list[str]]:
    return {line["input"]["userId"]: line["output"]["recommendedItems"] for line in lines(capsys)}


def test_it_works(folder, capsys):
    assert main(["train", "interactions.csv", "--items", "items.csv", "--recipe", "aws-sims", "--out", "model"]) == 0
    told = capsys.readouterr()
    (figures,) = [json.loads(line) for line in told.out.splitlines()]
    assert figures["recipe"] == "aws-sims"
    assert 0 < figures["metrics"]["mean_reciprocal_rank_at_25"] < 1
    assert figures["baselines"].keys() == {"random", "popularity", "best possible"}
    assert "evaluating" in told.err
    assert main(["recommend", "model", "--k", "5"]) == 0
    found = recommended(capsys)
    assert len(found) == 120
    assert all(len(items) == 5 for items in found.values())


def test_without_a_holdout_nothing_is_measured(folder, capsys):
    assert (
        main(["train", "interactions.csv", "--recipe", "aws-popularity-count", "--out", "model", "--holdout", "none"])
        == 0
    )
    (figures,) = lines(capsys)
    assert figures["metrics"] == {}


def test_settings_reach_the_recipe(folder, capsys):
    arguments = ["--set", "popularity_discount_factor=0.9", "--set", "min_cointeraction_count=1"]
    assert main(["train", "interactions.csv", "--recipe", "aws-sims", "--out", "model", *arguments]) == 0
    (figures,) = lines(capsys)
    assert figures["hyperparameters"]["popularity_discount_factor"] == 0.9


def test_training_again_replaces_the_model_but_never_another_folder(trained, capsys):
    (trained / "precious").mkdir()
    (trained / "precious" / "letter.txt").write_text("dear alice")
    for out, code in (("model", 0), ("precious", 2)):
        assert main(["train", "interactions.csv", "--recipe", "aws-popularity-count", "--out", out]) == code
    assert (trained / "precious" / "letter.txt").exists()


def test_seen_items_are_left_out_when_asked(trained, capsys):
    main(["recommend", "model", "--k", "60", "--exclude-seen"])
    found = recommended(capsys)
    seen = csv.read_csv(trained / "interactions.csv").to_pylist()
    assert all(str(event["ITEM_ID"]) not in found[str(event["USER_ID"])] for event in seen)


def test_users_of_the_histories_are_served_in_the_files_order_whoever_they_are(trained, capsys):
    rows = ["USER_ID,ITEM_ID,TIMESTAMP", "zoe,0,3", "7,4,1", "zoe,4,1", "zoe,8,2", "yan,never,1"]
    (trained / "histories.csv").write_text("\n".join(rows))
    main(["recommend", "model", "--histories", "histories.csv", "--k", "5"])
    found = recommended(capsys)
    assert list(found) == ["zoe", "7", "yan"]
    assert {int(item) % 4 for item in found["zoe"]} == {0}
    main(["recommend", "model", "--histories", "histories.csv", "--k", "5", "--exclude-seen"])
    assert not {"0", "4", "8"} & set(recommended(capsys)["zoe"])


def test_a_list_of_users_restricts_and_orders_and_strangers_get_what_is_popular(trained, capsys):
    (trained / "users.txt").write_text("nobody\n9\n\n3\n")
    main(["recommend", "model", "--users", "users.txt", "--k", "3"])
    found = recommended(capsys)
    assert list(found) == ["nobody", "9", "3"]
    (trained / "histories.csv").write_text("USER_ID,ITEM_ID,TIMESTAMP\n9,4,1\n9,8,2\n5,1,1")
    main(["recommend", "model", "--histories", "histories.csv", "--users", "users.txt", "--k", "3"])
    again = recommended(capsys)
    assert list(again) == ["nobody", "9", "3"]
    assert again["nobody"] == again["3"] == found["nobody"]
    assert {int(item) % 4 for item in again["9"]} == {0}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf7\r\n5\r\n",
        "7\n5\n".encode("utf-16"),
        b"USER_ID\n7\n5\n",
        b"user_id\n7\n5\n",
        b"USER_ID,AGE\n7,30\n5,31\n",
        b"\xef\xbb\xbfAGE;USER_ID\n30;7\n31;5\n",
    ],
)
def test_ids_are_read_as_programs_write_them(trained, capsys, content):
    (trained / "users.txt").write_bytes(content)

    assert main(["recommend", "model", "--users", "users.txt"]) == 0

    assert list(recommended(capsys)) == ["7", "5"]


def test_the_context_of_a_request_is_looked_at(folder, capsys):
    """Everyone takes anything, but even items on the tv and odd ones on the phone; the column is found in the file."""
    rng = np.random.default_rng(0)
    items = rng.integers(0, 20, 1500)
    table = {"USER_ID": rng.integers(0, 50, 1500), "ITEM_ID": items, "TIMESTAMP": worlds.START + np.arange(1500)}
    csv.write_csv(pa.table(table | {"DEVICE": np.where(items % 2, "phone", "tv").tolist()}), "interactions.csv")
    told = ["--recipe", "aws-user-personalization", "--set", "mode=fast", "--holdout", "none", "--out", "model"]
    assert main(["train", "interactions.csv", *told]) == 0
    capsys.readouterr()
    for value, odd in (("tv", 0), ("phone", 1)):
        assert main(["recommend", "model", "--k", "5", "--context", f"device={value}"]) == 0
        items = [int(item) for found in recommended(capsys).values() for item in found]
        assert sum(item % 2 == odd for item in items) > 0.9 * len(items)


def test_batches_do_not_change_the_answers(trained, capsys):
    main(["recommend", "model"])
    whole = recommended(capsys)
    main(["recommend", "model", "--batch-size", "7"])
    assert recommended(capsys) == whole


def test_related_items_and_popular_ones_for_an_unknown_item(trained, capsys):
    (trained / "items.txt").write_text("8\nnever\n")
    main(["related", "model", "--items", "items.txt", "--k", "4"])
    known, unknown = lines(capsys)
    assert known["input"] == {"itemId": "8"}
    assert {int(item) % 4 for item in known["output"]["recommendedItems"]} == {0}
    assert len(unknown["output"]["recommendedItems"]) == 4


def test_more_than_there_is_is_all(trained, capsys):
    (trained / "ids.txt").write_text("4\n")
    for arguments in (["recommend", "model", "--users", "ids.txt"], ["related", "model", "--items", "ids.txt"]):
        assert main([*arguments, "--k", str(2**31 - 1)]) == 0
        (line,) = lines(capsys)
        assert 20 < len(line["output"]["recommendedItems"]) <= 60


def test_ranking_keeps_all_items_and_puts_unknown_ones_last(trained, capsys):
    request = {"userId": "4", "itemList": ["never", "1", "0", "2"]}
    (trained / "requests.jsonl").write_text(json.dumps(request) + "\n")
    main(["rank", "model", "--requests", "requests.jsonl"])
    (answer,) = lines(capsys)
    assert answer["input"] == request
    assert answer["output"]["recommendedItems"][0] == "0"
    assert answer["output"]["recommendedItems"][-1] == "never"
    assert answer["output"]["scores"][-1] is None


def test_explanations_name_the_events(trained, capsys):
    main(["explain", "model", "--user", "4", "--item", "0"])
    told = lines(capsys)
    assert told[0]["weight"] >= told[-1]["weight"]
    assert {"itemId", "timestamp", "weight", "label"} == set(told[0])


def test_gzip_is_unpacked(trained, capsys):
    (trained / "zipped.csv.gz").write_bytes(gzip.compress((trained / "interactions.csv").read_bytes()))
    assert main(["train", "zipped.csv.gz", "--recipe", "aws-popularity-count", "--out", "model2"]) == 0


TRAIN = ["train", "interactions.csv", "--recipe", "aws-sims", "--out", "model"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n", "no rows"),
        ("USER_ID,FILM,TIMESTAMP\n1,2,3\n", "column ITEM_ID is missing, it has USER_ID, FILM, TIMESTAMP"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n1,2,yesterday\n", "line 3: TIMESTAMP is 'yesterday'"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,1700000000\n1,2,2024-01-01\n", "line 3: TIMESTAMP is '2024-01-01'"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,99999999999\n", "after the year 2100"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,4000000000\n", "in the future"),
        ('{"user": 1,\n "item": 2\n', "is not CSV but JSON"),
        ('{"user": 1,\n "item": 2}\n', "column USER_ID is missing"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n1,2,\n", "line 3: TIMESTAMP is empty"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n,2,4\n", "line 3: USER_ID is empty"),
        ("USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n1,2\n", "line 3: 2 columns; the header has 3"),
    ],
)
def test_bad_files_are_told_in_one_line(folder, capsys, content, complaint):
    (folder / "interactions.csv").write_text(content)
    assert main(TRAIN) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err
    assert "interactions.csv" in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train", "none.csv", "--recipe", "aws-sims", "--out", "x"], "There is no file none.csv"),
        (["train", "interactions.csv", "--recipe", "aws-magic", "--out", "x"], "There is no recipe aws-magic"),
        (
            [*TRAIN, "--set", "popularity_discount_factor=2"],
            "popularity_discount_factor is 2, allowed is a number from 0 to 1",
        ),
        ([*TRAIN, "--set", "popularity_discount_factor"], "KEY=VALUE"),
        ([*TRAIN, "--set", "speed=9"], "has no hyperparameter speed"),
        ([*TRAIN, "--items", "none.csv"], "There is no file none.csv"),
        (["recommend", "nowhere"], "nowhere holds no trained model"),
        (["recommend", "items.csv"], "items.csv holds no trained model"),
        (["related", "items.csv", "--items", "items.txt"], "items.csv holds no trained model"),
        (["recommend", "n" * 300], "too long"),
        ([*TRAIN, "--items", "n" * 300], "too long"),
        (["recommend", "model", "--users", "model"], "model cannot be read as text"),
        (["recommend", "model", "--users", "pairs.txt"], "line 1 is 4,5; one id a line is needed, or a header"),
        (["related", "model", "--items", "pairs.txt"], "header that names the column ITEM_ID"),
        (["recommend", "model", "--users", "header.txt"], "header.txt is empty"),
        (["rank", "model", "--requests", "deep.txt"], "line 1 is not JSON"),
        (["rank", "model", "--requests", "halves.txt"], "line 1 holds characters"),
        (["train", "interactions.csv", "--recipe", "aws-sims", "--out", "items.csv/model"], "items.csv"),
        (["segment", "model", "--items", "items.txt"], "aws-sims does not offer user segments"),
        (["related", "model", "--items", "none.txt"], "There is no file none.txt"),
        (["related", "model", "--items", "empty.txt"], "empty.txt is empty"),
        (["rank", "model", "--requests", "items.txt"], "line 1 is"),
        (["recommend", "model", "--histories", "items.csv"], "column USER_ID is missing"),
        (["recommend", "model", "--context", "DEVICE"], "COLUMN=VALUE is needed"),
        (["recommend", "model", "--context", "DEVICE=tv"], "the interactions have no columns"),
        (["explain", "model", "--user", "4", "--item", "never"], "--item never"),
        (["explain", "model", "--user", "nobody", "--item", "4"], "--user nobody"),
    ],
)
def test_mistakes_are_told_in_one_line(trained, capsys, arguments, complaint):
    (trained / "items.txt").write_text("4\n")
    (trained / "empty.txt").write_text("\n")
    (trained / "header.txt").write_text("USER_ID\n")
    (trained / "pairs.txt").write_text("4,5\n6,7\n")
    (trained / "deep.txt").write_text("[" * 100_000)
    (trained / "halves.txt").write_text('{"userId": "\\ud800", "itemList": ["4"]}\n')
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert complaint in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "option", [["--k", "0"], ["--k", "many"], ["--k", "9" * 5000], ["--batch-size", "-1"], ["--context", "A=\udcff"]]
)
def test_numbers_out_of_range_are_refused_by_the_parser(trained, option, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["recommend", "model", *option])
    assert stopped.value.code == 2
    assert option[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--seed", "-1"], ["--seed", "1.5"], ["--seed", "9" * 30], ["--max-seconds", "nan"]]
)
def test_numbers_out_of_range_of_a_training_are_refused_by_the_parser(option, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([*TRAIN, *option])
    assert stopped.value.code == 2
    assert option[0] in capsys.readouterr().err


ODD_FILES = {
    "empty": b"",
    "blank": b"\n\n",
    "bytes": bytes(range(256)) * 20,
    "zero.csv": b"USER_ID,ITEM_ID,TIMESTAMP\nu\x001,i1,1700000000\n",
    "ids.txt": b"4\n",
    "requests.jsonl": b'{"userId": {"a": [1]}, "itemList": ["4", null, {"a": 1}, 5]}\n',
    "list/manifest.json": b"[]",
    "text/manifest.json": b'"model"',
    "other/manifest.json": b"{}",
}
ASKING = [
    ["train", None, "--recipe", "aws-sims", "--out", "m"],
    [*TRAIN[:-1], "m", "--items", None],
    [*TRAIN[:-1], "m", "--users", None],
    ["recommend", None],
    ["recommend", "model", "--users", None],
    ["recommend", "model", "--histories", None],
    ["related", "model", "--items", None],
    ["rank", "model", "--requests", None],
    ["explain", None, "--user", "4", "--item", "4"],
]


def test_no_file_or_folder_ends_a_command_in_a_traceback(trained, capsys):
    for name, content in ODD_FILES.items():
        (trained / name).parent.mkdir(exist_ok=True)
        (trained / name).write_bytes(content)
    names = [*ODD_FILES, "list", "text", "other", "model", "none", "", ".", "empty/below", "n" * 300, "/dev/null"]
    for command in ASKING:
        for name in names:
            code = main([name if each is None else each for each in command])
            told = capsys.readouterr().err
            assert code == 0 or (code == 2 and told.splitlines()[-1].startswith("error: ")), (command, name)


def test_cheap_recipes_never_load_torch(trained):
    program = (
        "import sys; from recipes.__main__ import main; "
        "main(['train', 'interactions.csv', '--recipe', 'aws-sims', '--out', 'm']); main(['recommend', 'm', '--k', '1']); "
        "sys.exit('torch' in sys.modules or 'optuna' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.returncode == 0, done.stderr
