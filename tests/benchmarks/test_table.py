"""The tables say what the results say, and how old they are."""

from __future__ import annotations

import datetime

import pytest

from benchmarks import mlops, table

NOW = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


def result(system, *, ours=False, ndcg=0.1, mrr=0.1, measured=NOW, **more):
    figures = dict.fromkeys((*table.STRICT, *table.COST), 0.01) | {"ndcg@10": ndcg, "mrr@25": mrr}
    label = {"data": "toy", "protocol": "next", "seed": 0, "system": system, "ours": ours}
    return label | figures | {"measured": measured.isoformat(), "load": 0.5, "as_worded": figures} | more


def page(results):
    return table.pages(results, NOW)["toy, next"]


def cells(text, system):
    line = next(line for line in text.splitlines() if line.startswith(f"| {system} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_it_works():
    results = [result("EASE", ndcg=0.2, mrr=0.1), result("ours", ours=True, ndcg=0.3, mrr=0.2)]
    text = page(results)
    assert text.startswith("# toy, next")
    line = "| toy, next: ours | 0.01 | 0.3000 | 0.2000 EASE | 1.50 | 0.2000 | 0.1000 EASE | 2.00 |"
    assert line in table.summary(results)
    assert cells(text, "ours")[1:3] == ["1.50", "2.00"]
    assert text.index("| ours |") < text.index("| EASE |")


def test_each_ratio_is_over_the_peer_that_is_best_in_that_figure():
    peers = [result("a", ndcg=0.2, mrr=0.1), result("b", ndcg=0.1, mrr=0.4)]
    text = page([*peers, result("ours", ours=True, ndcg=0.3, mrr=0.3)])
    assert cells(text, "ours")[1:3] == ["1.50", "0.75"]


def test_ours_are_no_peers():
    text = page([result("popularity", ours=True, ndcg=0.9), result("a", ndcg=0.1)])
    assert cells(text, "popularity")[1] == "9.00"


def test_without_a_peer_there_is_no_ratio():
    assert cells(page([result("ours", ours=True)]), "ours")[1:3] == ["", ""]


def test_older_results_are_named_with_their_age():
    old = result("EASE", measured=NOW - datetime.timedelta(hours=5))
    text = page([old, result("ours", ours=True)])
    assert "Measured in earlier runs, how long before this one: EASE 5 h." in text


def test_what_was_measured_on_a_busy_machine_is_named():
    text = page([result("EASE", load=50), result("ours", ours=True)])
    assert "so that seconds are too high: EASE." in text


def test_what_failed_is_named():
    failed = {"data": "toy", "protocol": "next", "system": "HSTU", "ours": False, "error": "out of memory"}
    assert "Failed: HSTU: out of memory" in page([failed])


def test_the_worded_figures_stand_beside_where_items_repeat():
    text = page([result("EASE", has_repeats=True)])
    assert "Seen items stay in" in text
    assert text.count("| EASE | 1.00 | 1.00 |") == 2
    assert "Seen items stay in" not in page([result("EASE")])


def test_each_data_set_and_protocol_has_a_page_of_its_own(tmp_path):
    (tmp_path / "other-next.md").write_text("earlier")
    table.write_pages(table.pages([result("EASE")], NOW), tmp_path)
    assert (tmp_path / "toy-next.md").read_text().startswith("# toy, next")
    assert (tmp_path / "other-next.md").read_text() == "earlier"


def test_only_its_section_of_the_page_is_written(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("top\n<!-- results -->\nold\n<!-- /results -->\nend\n")
    table.write("results", "new", page)
    assert page.read_text() == "top\n<!-- results -->\nnew\n<!-- /results -->\nend\n"
    with pytest.raises(ValueError, match="no section <!-- other -->"):
        table.write("other", "new", page)


def test_the_page_in_the_repository_has_all_sections():
    page = table.README.read_text()
    for section in ("results", "mlops", "metadata"):
        assert f"<!-- {section} -->" in page
        assert f"<!-- /{section} -->" in page


def test_mlops_means_over_splits_and_counts_what_is_ahead():
    ahead = {column: 2 * bar for column, bar in mlops.BAR.items()}
    rows = {"ours": [result("ours", as_worded=dict.fromkeys(ahead, 0.0)), result("ours", as_worded=ahead)]}
    assert cells(mlops.summary(rows, NOW), "ours")[-2] == "0 of 8"
    rows["ours"].append(result("ours", as_worded=ahead))
    line = cells(mlops.summary(rows, NOW), "ours")
    assert line[-2] == "8 of 8"
    assert line[2].startswith(f"{4 / 3 * mlops.BAR['coverage']:.4f}")
