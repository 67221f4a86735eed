"""`python -m benchmarks.experiments`: false alarms of experiments read every day, their power, and what interleaving and CUPED save.

All is simulated: 1,000 experiments of each kind, users who come day by day, and outcomes by known rates.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import table
from recipes.evaluation import interleaving, lift, sequential
from recipes.evaluation.adjustment import Sums, adjusted_lift
from recipes.evaluation.interleaving import Credits, credit, preference, team_draft
from recipes.evaluation.lift import Arm

TESTS, DAYS = 1000, 28
EFFECT = 0.1  # the least lift of interest
PLACES, CATALOGUE, VISITS = 10, 40, 3
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """What came of experiments that were read every day.

    Attributes:
        rate: of the control.
        true_lift: of the treatment.
        users: a day, both arms together.
        verdicts: share of each verdict of `sequential.decide`.
        days: median day of the verdict.
        naive: share in which the fixed-horizon p was below 0.05 on some day.
    """

    rate: float
    true_lift: float
    users: int
    verdicts: dict[str, float]
    days: float
    naive: float


def main() -> None:
    """Print the tables; `--write` puts them into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=TESTS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    text = "\n\n".join(
        [told(readings(options.tests)), told_interleaving(gains(options.tests)), told_cuped(options.tests)]
    )
    print(text)
    if options.write:
        table.write("experiments", text)


def readings(tests: int) -> Iterator[Reading]:
    """A/A tests, harm and gain, at three rates."""
    for rate, users in ((0.02, 4000), (0.1, 1000), (0.4, 400)):
        for true_lift in (0.0, -0.2, 0.2):
            yield _read(rate, true_lift, users, tests)


def _read(rate: float, true_lift: float, users: int, tests: int) -> Reading:
    rng = np.random.default_rng([int(rate * 1000), int(true_lift * 1000) + 1000])
    shape = (tests, DAYS, 2)
    came = rng.binomial(users, 0.5, (tests, DAYS))
    arms = np.stack([came, users - came], axis=-1)
    did = rng.binomial(arms, np.array([rate, rate * (1 + true_lift)]), shape)
    verdicts, days, naive = [], [], 0
    for some_users, some_did in zip(arms.cumsum(axis=1), did.cumsum(axis=1), strict=True):
        looks = [_arms(*one) for one in zip(some_users, some_did, strict=True)]
        found = sequential.decide(looks, EFFECT)
        verdicts.append(found.verdict)
        days.append(DAYS if found.look is None else found.look + 1)
        naive += any((estimate := lift.lift(*look)) is not None and estimate.is_significant for look in looks)
    shares = {verdict: verdicts.count(verdict) / tests for verdict in ("BETTER", "WORSE", "FUTILE", "GO_ON")}
    return Reading(rate, true_lift, users, shares, float(np.median(days)), naive / tests)


def _arms(users: Counts, did: Counts) -> tuple[Arm, Arm]:
    control, treatment = (Arm(int(users[side]), int(did[side])) for side in (0, 1))
    return control, treatment


def told(rows: Iterator[Reading]) -> str:
    """The table of verdicts."""
    head = "| rate | true lift | users a day | better | worse | futile | undecided | median day | p < 0.05 on some day, fixed horizon |"
    lines = [head, "| --: " * 9 + "|"]
    for row in rows:
        shares = " | ".join(f"{row.verdicts[name]:.1%}" for name in ("BETTER", "WORSE", "FUTILE", "GO_ON"))
        lines.append(
            f"| {row.rate:.0%} | {row.true_lift:+.0%} | {row.users:,} | {shares} | {row.days:.0f} | {row.naive:.1%} |"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class Gain:
    """How many users two versions take to be told apart.

    Attributes:
        noise: of the better version's scores; the other's is 1.
        rate, lift: share of the control's users who choose something, and the better version's lift.
        interleaved, split: users that interleaving and an A/B test need for a power of 80 %.
        power, split_power: measured with so many users.
        false: share of interleavings of two equally good versions in which one seems better.
    """

    noise: float
    rate: float
    lift: float
    interleaved: int
    split: int
    power: float
    split_power: float
    false: float


def gains(tests: int) -> Iterator[Gain]:
    """Versions whose scores are the users' tastes with more and with less noise."""
    for noise in (0.9, 0.8, 0.6):
        yield _gain(noise, tests)


def _gain(noise: float, tests: int, users: int = 60_000) -> Gain:
    rng = np.random.default_rng(int(noise * 100))
    rates, points = [], list[float]()
    for _ in range(users // 2000):
        first, second, chance = _users(rng, 2000, noise)
        rates.append(
            [_outcome(chance, lists) for lists in (first, second)]
        )  # of the same users: the difference varies little
        points += [_points(one, other, own, rng) for one, other, own in zip(first, second, chance, strict=True)]
    rate, better = np.mean(rates, axis=0)
    credits_ = np.array(points)
    interleaved = interleaving.users_needed(float(credits_.mean()), float(credits_.var())) or 0
    split = lift.users_needed(float(rate), float(better / rate - 1), 0.5) or 0
    found = [preference(Credits.of(row)) for row in rng.choice(credits_, (tests, interleaved))]
    power = np.mean([one is not None and one.is_significant and one.value > 0 for one in found])
    tied = [preference(Credits.of(row)) for row in _tied(credits_, rng, tests, interleaved)]
    false = np.mean([one is not None and one.is_significant for one in tied])
    did = rng.binomial(split // 2, (rate, better), (tests, 2))
    pairs = [lift.lift(Arm(split // 2, int(one)), Arm(split // 2, int(other))) for one, other in did]
    split_power = np.mean([pair is not None and pair.is_significant and pair.value > 0 for pair in pairs])
    return Gain(
        noise, float(rate), float(better / rate - 1), interleaved, split, float(power), float(split_power), float(false)
    )  # fmt: skip


def _users(rng: np.random.Generator, count: int, noise: float) -> tuple[Counts, Counts, NDArray[np.float64]]:
    """Both versions' lists for each user, and the chance with which the user would choose each item; users differ in how much they choose."""
    taste = rng.normal(size=(count, CATALOGUE))
    eager = rng.gamma(0.3, 0.03, (count, 1))  # most choose hardly anything, a few a lot
    lists = [
        np.argsort(-(taste + scale * rng.normal(size=taste.shape)), axis=1)[:, :PLACES].astype(np.int64)
        for scale in (1.0, noise)
    ]
    return lists[0], lists[1], np.minimum(1.0, eager * np.exp(1.2 * taste))


def _outcome(chance: NDArray[np.float64], lists: Counts) -> float:
    """The share of users who choose something from their list in one of their visits."""
    return float(1 - ((1 - np.take_along_axis(chance, lists, axis=1)).prod(axis=1) ** VISITS).mean())


def _tied(credits_: NDArray[np.float64], rng: np.random.Generator, tests: int, users: int) -> NDArray[np.float64]:
    """Users' credits if both versions were as good: either may be called the second."""
    return np.asarray(rng.choice(credits_, (tests, users)) * rng.choice([-1.0, 1.0], (tests, users)))


def _points(first: Counts, second: Counts, chance: NDArray[np.float64], rng: np.random.Generator) -> float:
    total = 0.0
    for _ in range(VISITS):
        draft = team_draft(first.tolist(), second.tolist(), PLACES, rng)
        items = np.array(draft.items)
        total += credit(draft, items[rng.random(len(items)) < chance[items]].tolist())
    return total


def told_interleaving(rows: Iterator[Gain]) -> str:
    """The table of users."""
    lines = [
        "| noise of the better | A/B rate | lift | users interleaved | power | users A/B | power | ratio | false alarms interleaved |",
        "| --: " * 9 + "|",
    ]
    for row in rows:
        lines.append(
            f"| {row.noise} | {row.rate:.1%} | {row.lift:+.1%} | {row.interleaved:,} | {row.power:.0%} | {row.split:,} | {row.split_power:.0%} | "
            f"{row.split / row.interleaved:.0f} | {row.false:.1%} |"
        )
    return "\n".join(lines)


def told_cuped(tests: int, users: int = 2000) -> str:
    """How often CUPED's interval covers a true lift of 10 %, and how much variance it leaves, by how steady users are."""
    lines = [
        "| steadiness of users | correlation | variance left | 95 % intervals that cover |",
        "| --: | --: | --: | --: |",
    ]
    rng = np.random.default_rng(5)
    for steady in (0.5, 2.0, 8.0):
        found = []
        for _ in range(tests):
            habit = rng.gamma(1 / steady, steady, (2, users))
            before, after = rng.poisson(4 * habit), rng.poisson(2 * habit * np.array([[1.0], [1.1]]))
            adjusted = adjusted_lift(*(_sums(y, x) for y, x in zip(after, before, strict=True)))
            if adjusted is not None:
                found.append(adjusted)
        covered = np.mean([one.lift.low <= 0.1 <= (one.lift.high or 0) for one in found])
        correlation, left = (
            np.mean([getattr(one, name) for one in found]) for name in ("correlation", "variance_left")
        )
        lines.append(f"| {steady} | {correlation:.2f} | {left:.0%} | {covered:.1%} |")
    return "\n".join(lines)


def _sums(y: Counts, x: Counts) -> Sums:
    return Sums(
        len(y), float(y.sum()), float(x.sum()), float((y * y).sum()), float((x * x).sum()), float((x * y).sum())
    )


if __name__ == "__main__":
    main()
