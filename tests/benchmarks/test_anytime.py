from __future__ import annotations

from benchmarks.anytime import rows


def test_a_row_tells_how_far_a_run_went_past_its_budget():
    figures = {"ndcg@10": 0.2, "hit@10": 0.3, "mrr@25": 0.1}
    run = {"data": "made", "seed": 0, "train_cpu_s": 20.0, "load": 4.0} | figures
    table = rows([run | {"budget_s": 60, "train_s": 63.0}, run | {"budget_s": 0, "train_s": 300.0}])
    *_, limited, unlimited = table.splitlines()
    assert limited == "| made | 60 | 0 | 63 | +5% | 20 | 4.0 | 0.2000 | 0.3000 | 0.1000 |"
    assert unlimited == "| made | none | 0 | 300 |  | 20 | 4.0 | 0.2000 | 0.3000 | 0.1000 |"
