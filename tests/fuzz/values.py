"""What fuzzers send: values of a shape, values at and beyond its limits, and what is no value at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from botocore.model import Shape
from hypothesis import strategies as st

from tests.fuzz.scene import Scene

Path: TypeAlias = tuple[str | int, ...]
DEEP: Any = "x"
for _ in range(200):
    DEEP = {"a": [DEEP]}
TEXTS = [
    "", " ", "\0", "a\0b", "\ud800", "\ufeff", "\u202egnp.exe", "e\u0301", "\u0661\u0662", "\U0001f600" * 20, "a\r\nX-Evil: 1",
    "../../../etc/passwd", "s3://work/../../store/x", "s3://[", "s3://", "s3://work/%2e%2e/%00", "file:///etc/passwd",
    "s3://store/parts/", "s3://uploads/", "s3://.hidden/x", "http://127.0.0.1/x", "%s%n{0}{x.__class__}${jndi:ldap://x}",
    "' OR 1=1 --", "<script>alert(1)</script>", "null", "true", "-", "NaN", "1e309", "9" * 5000, "x" * 256, "x" * 257,
    "x" * 70_000, "[]", '{"a":', "{" * 3000, '{"type": "record"}', "rate(1 day)", "rate(0 days)", "cron(0 0 * * ? *)",
    "INCLUDE ItemID WHERE Items.PRICE < $P", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "SUM(Items.PRICE)",
    "1970-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "arn:aws:personalize:::recipe/aws-sims", "arn:aws:personalize:::recipe/",
    "arn:aws:s3:::x", "arn:aws:personalize:us-east-1:000000000011:", "arn:aws:personalize:us-east-1::solution/top/\0",
]  # fmt: skip
NUMBERS = [0, -1, 1, 2, 500, 501, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 0.5, 1e-320, 1e15,
           253402300800, -62135596801]  # fmt: skip
OTHERS = [None, True, False, [], {}, [[]], [None], {"": None}, {"a": 1}, [1, "a", {}], ["x"] * 1000, DEEP]


@dataclass(frozen=True)
class Draw:
    """What hypothesis draws for a case: a seed for the many small choices, and values that nobody thought of."""

    dice: Random
    text: str
    number: int | float
    tree: Any

    def odd(self) -> Any:
        """Anything that JSON can say, the well-known trouble-makers first."""
        mine = [self.text, self.number, self.tree]
        return copy.deepcopy(self.dice.choice(self.dice.choice([TEXTS, NUMBERS, OTHERS, mine])))


_SCALARS = st.none() | st.booleans() | st.text(max_size=10)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=4
)
DRAWS = st.builds(
    Draw,
    st.randoms(use_true_random=True),
    st.text(max_size=60),
    st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 4).flatmap(lambda n: st.none() if n else _TREES),
)


def names_of(scene: Scene) -> list[str]:
    """What names something on the server."""
    return [
        *scene.arns.values(),
        *scene.own.values(),
        *scene.locations,
        "u1",
        "i1",
        "films",
        "top",
        "ITEMS",
        "zz-canary-group",
    ]


def of_shape(draw: Draw, shape: Shape, names: Sequence[str], depth: int = 0) -> Any:
    """A value of a shape: of the right type, mostly within the limits."""
    dice = draw.dice
    match shape.type_name:
        case "structure":
            needed = set(shape.required_members)
            asked = [name for name in shape.members if name in needed or dice.randrange(3) == 0] if depth < 6 else []
            return {name: of_shape(draw, shape.members[name], names, depth + 1) for name in asked}
        case "list":
            return [of_shape(draw, shape.member, names, depth + 1) for _ in range(dice.randint(0, 3))]
        case "map":
            keys = [of_shape(draw, shape.key, names, depth + 1) for _ in range(dice.randint(0, 2))]
            return {key: of_shape(draw, shape.value, names, depth + 1) for key in keys}
        case "boolean":
            return dice.random() < 0.5
        case "integer" | "long" | "float" | "double":
            least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
            return dice.choice([least, most, least - 1, most + 1, dice.randint(int(least), int(most)), draw.number])
        case "timestamp":
            return dice.choice([0, 1_700_000_000, 1.5, "2026-01-01T00:00:00Z", draw.number])
        case _:
            return _string(draw, shape, names)


def _string(draw: Draw, shape: Shape, names: Sequence[str]) -> str:
    dice = draw.dice
    if getattr(shape, "enum", None):
        return str(dice.choice(shape.enum))
    most = min(shape.metadata.get("max", 300), 100_000)
    return dice.choice(
        [
            dice.choice(names),
            f"n{dice.randrange(10**6)}",
            "x",
            "x" * most,
            "x" * (most + 1),
            draw.text,
            dice.choice(TEXTS),
        ]
    )


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """The places of all values below `value`."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in children:
        yield (*here, key)
        yield from paths(member, (*here, key))


def mutated(draw: Draw, members: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The members of a call that succeeds with up to three of them changed, removed, doubled, nested or joined by strangers."""
    dice, found = draw.dice, copy.deepcopy(members)
    for _ in range(dice.randint(0, 3)):
        places = list(paths(found))
        if not places or dice.randrange(16) == 0:
            new = dice.choice(["account", "__class__", "self", "\ud800", "x" * 70_000, "name", "tags", draw.text])
            found[new] = draw.odd()
            continue
        *above, last = dice.choice(places)
        holder: Any = found
        for key in above:
            holder = holder[key]
        _change(draw, holder, last, names)
    return found


def _change(draw: Draw, holder: Any, key: Any, names: Sequence[str]) -> None:
    dice = draw.dice
    match dice.randrange(10):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            holder[key] = {"a": holder[key]}
        case 3:
            holder[key] = dice.choice(names)
        case 4 if isinstance(holder[key], list):
            holder[key] = holder[key] * dice.choice([2, 11, 501])
        case 5 if isinstance(holder[key], str):
            holder[key] = _bent(dice, holder[key])
        case _:
            holder[key] = draw.odd()


def _bent(dice: Random, text: str) -> str:
    """The text with something put in, cut off, or in another case."""
    place = dice.randint(0, len(text))
    match dice.randrange(4):
        case 0:
            new = dice.choice(["\0", "/", "..", "\r\n", "\u00e9", " ", '"', "\\", "%00", ":"])
            return text[:place] + new + text[place:]
        case 1:
            return text[:place]
        case 2:
            return text.swapcase()
        case _:
            return text + dice.choice(TEXTS)[:300]
