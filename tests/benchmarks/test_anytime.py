from __future__ import annotations

from benchmarks.anytime import rows


def test_a_row_tells_means_and_how_far_the_longest_run_went_past_its_budget():
    figures = {"data": "made", "hit@10": 0.3, "mrr@25": 0.1, "train_cpu_s": 20.0, "load": 4.0}
    limited = [
        figures | {"budget_s": 60, "train_s": 57.0, "ndcg@10": 0.2},
        figures | {"budget_s": 60, "train_s": 63.0, "ndcg@10": 0.204},
    ]
    *_, first, second = rows([*limited, figures | {"budget_s": 0, "train_s": 300.0, "ndcg@10": 0.25}]).splitlines()
    assert first == "| made | 60 | 2 | 60 | +5% | 20 | 4.0 | 0.2020 | 0.0020 | 0.3000 | 0.1000 |"
    assert second == "| made | none | 1 | 300 |  | 20 | 4.0 | 0.2500 |  | 0.3000 | 0.1000 |"
