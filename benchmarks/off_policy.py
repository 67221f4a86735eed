"""`python -m benchmarks.off_policy`: do the intervals of off-policy estimates cover the truth? 1,000 worlds of each kind.

Every world has contexts, a logging and an evaluated policy and rewards of its own; its truth is a sum over all contexts and actions.
`--obp` compares the estimates with those of Open Bandit Pipeline on its synthetic data (Saito et al. 2020), in an environment of
its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import table
from benchmarks.datasets import CACHE
from recipes.evaluation.off_policy import slates
from recipes.evaluation.off_policy.actions import ESTIMATORS, Logged
from recipes.evaluation.off_policy.estimates import Array, Estimate
from recipes.evaluation.off_policy.slates import LoggedLists

WORLDS, TOGETHER, CONTEXTS = 1000, 25, 50
OBP = ("obp==0.4.1", "--no-deps")  # the newest that Python 3.11 may install; it pins older dependencies
OBP_NEEDS = (
    "numpy<2",
    "pandas<2.3",
    "scikit-learn<1.6",
    "scipy<1.14",
    "tqdm",
    "pyyaml",
    "matplotlib",
    "seaborn",
    "torch>=2.6,<2.14",
)
OBP_CODE = """
import json, sys
import numpy as np
from obp.dataset import SyntheticBanditDataset, linear_behavior_policy, logistic_reward_function
from obp.ope import InverseProbabilityWeighting, SelfNormalizedInverseProbabilityWeighting, DoublyRobust, SwitchDoublyRobust
from obp.ope import DoublyRobustWithShrinkage, OffPolicyEvaluation, RegressionModel
from sklearn.linear_model import LogisticRegression
out = []
for seed in range(int(sys.argv[2])):
    data = SyntheticBanditDataset(n_actions=10, dim_context=5, reward_function=logistic_reward_function, behavior_policy_function=linear_behavior_policy, random_state=seed)
    log, fresh = data.obtain_batch_bandit_feedback(n_rounds=5000), data.obtain_batch_bandit_feedback(n_rounds=100000)
    policy = lambda log: np.exp(log["expected_reward"] * 8) / np.exp(log["expected_reward"] * 8).sum(1, keepdims=True)
    target = policy(log)[:, :, None]
    model = RegressionModel(n_actions=10, base_model=LogisticRegression(random_state=seed))
    predicted = model.fit_predict(context=log["context"], action=log["action"], reward=log["reward"], random_state=seed)
    estimators = [InverseProbabilityWeighting(estimator_name="IPS"), SelfNormalizedInverseProbabilityWeighting(estimator_name="SNIPS"),
                  DoublyRobust(estimator_name="DR"), SwitchDoublyRobust(tau=10.0, estimator_name="Switch-DR"),
                  DoublyRobustWithShrinkage(lambda_=100.0, estimator_name="DRos")]
    ope = OffPolicyEvaluation(bandit_feedback=log, ope_estimators=estimators)
    values = ope.estimate_policy_values(action_dist=target, estimated_rewards_by_reg_model=predicted)
    rows = np.arange(len(log["action"]))
    out.append({"values": {k: float(v) for k, v in values.items()}, "reward": log["reward"].tolist(), "behaviour": log["pscore"].tolist(),
                "target": target[rows, log["action"], 0].tolist(), "predicted": predicted[rows, log["action"], 0].tolist(),
                "expected": (predicted[:, :, 0] * target[:, :, 0]).sum(1).tolist(),
                "truth": float((policy(fresh) * fresh["expected_reward"]).sum(1).mean())})
json.dump(out, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True)
class Kind:
    """A kind of world: rounds, actions, how far the policies are apart, how wrong the reward model is."""

    name: str
    rounds: int = 1000
    actions: int = 10
    logging: float = 0.3
    evaluated: float = 1.0
    wrong: float = 0.1


KINDS = (
    Kind("policies alike"),
    Kind("policies apart", evaluated=2.0, logging=0.2),
    Kind("few rounds", rounds=300),
    Kind("no useful reward model", wrong=0.5),
    Kind("opposed policies", rounds=4000, logging=-0.2),
)


@dataclass(frozen=True)
class Coverage:
    """How an estimator does on worlds of a kind."""

    kind: str
    estimator: str
    covered: float
    bias: float
    root_mean_square: float
    width: float
    effective_size: float


def main() -> None:
    """Print the tables; `--write` puts them into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--obp", action="store_true", help="compare with Open Bandit Pipeline instead")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = compared(seeds=10) if options.obp else [*measured(options.worlds)]
    text = told_obp(rows) if options.obp else told(rows)
    print(text)
    if options.write:
        table.write("off-policy-obp" if options.obp else "off-policy", text)


def measured(worlds: int) -> Iterator[Coverage]:
    """Each estimator on `worlds` worlds of each kind."""
    for kind in KINDS:
        yield from _covered(kind.name, worlds, lambda rng, size, kind=kind: _actions(kind, rng, size))
    yield from _covered("lists of 3, cascade", worlds, _lists)


def _covered(
    name: str, worlds: int, draw: Callable[[np.random.Generator, int], tuple[dict[str, Estimate], Array, Array]]
) -> Iterator[Coverage]:
    rng, parts = np.random.default_rng(0), []
    for start in range(0, worlds, TOGETHER):
        parts.append(draw(rng, min(TOGETHER, worlds - start)))
    truth, sizes = (np.concatenate([part[at] for part in parts]) for at in (1, 2))
    for estimator in parts[0][0]:
        value, low, high = (
            np.concatenate([getattr(part[0][estimator], field) for part in parts]) for field in ("value", "low", "high")
        )
        yield Coverage(
            name, estimator, float(np.mean((low <= truth) & (truth <= high))), float(np.mean(value - truth)),
            float(np.sqrt(np.mean((value - truth) ** 2))), float(np.mean(high - low)), float(np.median(sizes)),
        )  # fmt: skip


def _actions(kind: Kind, rng: np.random.Generator, worlds: int) -> tuple[dict[str, Estimate], Array, Array]:
    shape = (worlds, CONTEXTS, kind.actions)
    taste = rng.normal(size=shape)
    chance = 1 / (1 + np.exp(1.5 - 0.7 * taste))
    behaviour, target = _softmax(kind.logging * taste), _softmax(kind.evaluated * taste)
    predicted = np.clip(chance + kind.wrong * rng.normal(size=(worlds, 1, kind.actions)), 0, 1)
    at = np.arange(worlds)[:, None], rng.integers(0, CONTEXTS, (worlds, kind.rounds))
    action = _draw(rng, behaviour[at])
    reward = (rng.random(action.shape) < chance[(*at, action)]).astype(float)
    log = Logged(
        reward,
        behaviour[(*at, action)],
        target[(*at, action)],
        predicted[(*at, action)],
        (target * predicted).sum(-1)[at],
    )
    return {name: estimator(log) for name, estimator in ESTIMATORS.items()}, *_truth(target * chance, log.weight)


def _truth(earned: Array, weight: Array) -> tuple[Array, Array]:
    return earned.sum(-1).mean(-1), weight.sum(-1) ** 2 / np.square(weight).sum(-1)


def _lists(rng: np.random.Generator, worlds: int) -> tuple[dict[str, Estimate], Array, Array]:
    """Places filled one by one; whoever finds something looks no further, so that what comes after earns less."""
    items, places, rounds = 6, 3, 1000
    taste = rng.normal(size=(worlds, CONTEXTS, places, items))
    chance = 1 / (1 + np.exp(1.5 - 0.7 * taste))
    behaviour, target = _softmax(0.2 * taste), _softmax(0.9 * taste)
    at = (np.arange(worlds)[:, None], rng.integers(0, CONTEXTS, (worlds, rounds)))
    shown = np.stack([_draw(rng, behaviour[(*at, place)]) for place in range(places)], axis=-1)
    clicked = rng.random(shown.shape) < _at(chance, at, shown)
    first = clicked & (clicked.cumsum(axis=-1) == 1)
    after, expected, predicted = np.zeros((worlds, CONTEXTS)), np.empty(shown.shape), np.empty(shown.shape)
    for place in reversed(range(places)):
        value = (
            chance[:, :, place] + (1 - chance[:, :, place]) * after[..., None]
        )  # of an item, if nothing was found before
        after = (target[:, :, place] * value).sum(-1)
        going = ~clicked[..., :place].any(axis=-1)
        expected[..., place] = after[at] * going
        predicted[..., place] = value[(*at, shown[..., place])] * going
    log = LoggedLists(
        first.astype(float), _at(behaviour, at, shown), _at(target, at, shown), 0.8 * predicted, 0.8 * expected
    )
    estimates = {name: getattr(slates, name)(log) for name in ("list_ips", "cascade_ips", "cascade_dr")}
    weight = log.weight.prod(-1)
    return estimates, after.mean(-1), weight.sum(-1) ** 2 / np.square(weight).sum(-1)


def _at(values: Array, at: tuple[Array, Array], shown: Array) -> Array:
    return np.stack([values[(*at, place, shown[..., place])] for place in range(shown.shape[-1])], axis=-1)


def _softmax(values: Array) -> Array:
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def _draw(rng: np.random.Generator, chances: Array) -> Array:
    return (chances.cumsum(axis=-1) < rng.random((*chances.shape[:-1], 1))).sum(axis=-1).clip(0, chances.shape[-1] - 1)


def told(rows: list[Coverage]) -> str:
    """The table of coverage."""
    lines = [
        "| worlds | effective size (median) | estimator | 95 % intervals that cover | bias | RMSE | width |",
        "| -- | --: | -- | --: | --: | --: | --: |",
    ]
    lines += [
        f"| {row.kind} | {row.effective_size:.0f} | {row.estimator} | {row.covered:.1%} | {row.bias:+.4f} | {row.root_mean_square:.4f} | {row.width:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def compared(seeds: int) -> list[dict[str, float | str]]:
    """The largest difference to Open Bandit Pipeline's estimates on the same logs, by estimator."""
    folder = CACHE / "obp-venv"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True)
        for wanted in (OBP_NEEDS, OBP):
            subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, stdout=sys.stderr)
        (folder / "installed").touch()
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "out.json"
        subprocess.run([python, "-c", OBP_CODE, path, str(seeds)], check=True, stdout=sys.stderr)
        worlds = json.loads(path.read_text())
    found = []
    for name in ESTIMATORS:
        limits = {"Switch-DR": ([10.0],), "DRos": ([100.0],)}.get(name, ())
        off, ours, theirs = 0.0, [], []
        for world in worlds:
            log = Logged(
                *(np.array(world[part]) for part in ("reward", "behaviour", "target", "predicted", "expected"))
            )
            value = float(ESTIMATORS[name](log, *limits).value)
            off = max(off, abs(value - world["values"][name]))
            ours.append(float(ESTIMATORS[name](log).value) - world["truth"])
            theirs.append(world["values"][name] - world["truth"])
        found.append({"estimator": name, "off": off, "ours": _rms(ours), "theirs": _rms(theirs)})
    return found


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def told_obp(rows: list[dict[str, float | str]]) -> str:
    """The table of differences."""
    lines = [
        "| estimator | largest difference to Open Bandit Pipeline, same parameter | RMSE, ours | RMSE, theirs |",
        "| -- | --: | --: | --: |",
    ]
    return "\n".join(
        [
            *lines,
            *(f"| {row['estimator']} | {row['off']:.1e} | {row['ours']:.4f} | {row['theirs']:.4f} |" for row in rows),
        ]
    )


if __name__ == "__main__":
    main()
