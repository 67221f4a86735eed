"""What fuzzers send: values of a shape, values at and beyond its limits, and what is no value at all."""

from __future__ import annotations

import copy
from collections.abc import Iterator
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


def hostile() -> st.SearchStrategy[Any]:
    """Anything that JSON can say, the well-known trouble-makers first."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=40)
    )
    trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                         max_leaves=5)  # fmt: skip
    known = st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.sampled_from(OTHERS)
    return (known | st.text(max_size=300) | trees).map(copy.deepcopy)  # they will be bent further


def known(scene: Scene) -> st.SearchStrategy[str]:
    """What names something on the server."""
    names = [
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
    return st.sampled_from(names)


def of_shape(shape: Shape, scene: Scene, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a shape: of the right type, mostly within the limits."""
    match shape.type_name:
        case "structure":
            return _structures(shape, scene, depth)
        case "list":
            return st.lists(of_shape(shape.member, scene, depth + 1), max_size=3)
        case "map":
            return st.dictionaries(
                of_shape(shape.key, scene, depth + 1), of_shape(shape.value, scene, depth + 1), max_size=2
            )
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return _numbers(shape)
        case "float" | "double":
            return st.floats(allow_nan=False, allow_infinity=False) | _numbers(shape)
        case "timestamp":
            return st.sampled_from([0, 1_700_000_000, 1.5, "2026-01-01T00:00:00Z"])
        case _:
            return _strings(shape, scene)


def _structures(shape: Shape, scene: Scene, depth: int) -> st.SearchStrategy[Any]:
    if depth > 6:
        return st.just({})
    members = {name: of_shape(member, scene, depth + 1) for name, member in shape.members.items()}
    required = {name: strategy for name, strategy in members.items() if name in shape.required_members}
    return st.fixed_dictionaries(
        required, optional={name: each for name, each in members.items() if name not in required}
    )


def _numbers(shape: Shape) -> st.SearchStrategy[int]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
    edges = [least, most, least - 1, most + 1]
    return st.sampled_from(edges) | st.integers(int(least), int(most))


def _strings(shape: Shape, scene: Scene) -> st.SearchStrategy[str]:
    if getattr(shape, "enum", None):
        return st.sampled_from(shape.enum)
    most = shape.metadata.get("max", 300)
    sizes = st.sampled_from([1, most, most + 1]).map(lambda size: "x" * min(size, 100_000))
    words = st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9\-_]{0,20}\Z")
    return known(scene) | words | sizes


def paths(value: Any, here: Path = ()) -> Iterator[Path]:
    """The places of all values below `value`."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in children:
        yield (*here, key)
        yield from paths(member, (*here, key))


@st.composite
def mutated(draw: st.DrawFn, members: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """The members with up to three of them changed, removed, doubled, nested or joined by strangers."""
    found = copy.deepcopy(members)
    for _ in range(draw(st.integers(0, 3))):
        places = list(paths(found))
        if not places or draw(st.integers(0, 15)) == 0:
            found[draw(st.text(min_size=1, max_size=10) | st.sampled_from(["account", "__class__", "self"]))] = draw(
                hostile()
            )
            continue
        *above, last = draw(st.sampled_from(places))
        holder: Any = found
        for key in above:
            holder = holder[key]
        _change(draw, holder, last, scene)
    return found


def _change(draw: st.DrawFn, holder: Any, key: Any, scene: Scene) -> None:
    match draw(st.integers(0, 9)):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            holder[key] = {"a": holder[key]}
        case 3:
            holder[key] = draw(known(scene))
        case 4 if isinstance(holder[key], list):
            holder[key] = holder[key] * draw(st.sampled_from([2, 11, 501]))
        case 5 if isinstance(holder[key], str):
            holder[key] = _bent(draw, holder[key])
        case _:
            holder[key] = draw(hostile())


def _bent(draw: st.DrawFn, text: str) -> str:
    """The text with something put in, cut off, or in another case."""
    place = draw(st.integers(0, len(text)))
    match draw(st.integers(0, 3)):
        case 0:
            return (
                text[:place]
                + draw(st.sampled_from(["\0", "/", "..", "\r\n", "\u00e9", " ", '"', "\\", "%00", ":"]))
                + text[place:]
            )
        case 1:
            return text[:place]
        case 2:
            return text.swapcase()
        case _:
            return text + draw(st.sampled_from(TEXTS))[:300]
