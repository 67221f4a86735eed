"""Lines on two logarithmic scales as SVG, readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 70, 190, 34, 46
COLOURS = ("#3b76c4", "#c2571a", "#2d8a55", "#8a5bbf", "#a8841a", "#5f6b7a")
Points = Sequence[tuple[float, float]]


def log_log(title: str, x_label: str, y_label: str, lines: Mapping[str, Points]) -> str:
    """An SVG drawing of each line's (x, y) points, all positive."""
    xs = [x for points in lines.values() for x, _ in points]
    ys = [y for points in lines.values() for _, y in points]
    x_range, y_range = _decades(xs), _decades(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - x_range[0]) / (x_range[1] - x_range[0])
        up = (math.log10(y) - y_range[0]) / (y_range[1] - y_range[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [_text(LEFT, 20, title, weight="bold"), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label, "middle")]
    parts.append(_text(8, TOP - 2, y_label))
    for power in range(x_range[0], x_range[1] + 1):
        x, low = place(10.0**power, 10.0 ** y_range[0])
        parts += [_rule(x, low, x, TOP), _text(x, low + 16, _power(power), "middle")]
    for power in range(y_range[0], y_range[1] + 1):
        x, y = place(10.0 ** x_range[0], 10.0**power)
        parts += [_rule(x, y, WIDTH - RIGHT, y), _text(x - 6, y + 4, _power(power), "end")]
    for (name, points), colour in zip(lines.items(), COLOURS * len(lines), strict=False):
        places = [place(x, y) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(_text(places[-1][0] + 8, places[-1][1] + 4, name, colour=colour))
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
    return f'{frame}<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'


def slope(points: Points) -> float:
    """The power of x that y grows with, by least squares of the logarithms.

    >>> round(slope([(1, 3), (10, 300), (100, 30_000)]), 6)
    2.0
    """
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread if spread else math.nan


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _power(power: int) -> str:
    return f"{10**power:,}" if 0 <= power <= 4 else f"1e{power}"


def _text(x: float, y: float, text: str, anchor: str = "start", *, weight: str = "normal", colour: str = "#333") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-weight="{weight}" fill="{colour}">{escape(text)}</text>'


def _rule(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="#ddd"/>'
