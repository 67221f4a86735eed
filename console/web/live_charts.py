"""Charts of what happens while models serve and are tuned: traffic, the lift of an experiment, the trials of a tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext, ngettext

from console.web.charts import Chart
from console.web.languages import localised
from console.web.plots.model import MINUTE, Colour, Look, Mark, Plot, Point, Scale, Series, categories, numbers, times
from console.web.plots.words import minute, shown

LEVELS = 5  # shades of the trials, the best the strongest


def traffic_chart(key: str, minutes: Sequence[Mapping[str, Any]]) -> Chart:
    """Requests by the minute as bars, errors on top of them, and the 95th percentile of the latency as a line."""
    good = [(one["start"], one["requests"] - one["errors"]) for one in minutes]
    drawn = (
        Series(gettext("answered"), tuple(Point(at + 30, n, words=gettext("{minute}\n{n} answered").format(minute=minute(at), n=localised(f"{n:,}"))) for at, n in good), Look.BARS),
        Series(
            gettext("refused"),
            tuple(Point(one["start"] + 30, one["errors"], words=gettext("{minute}\n{n} refused").format(minute=minute(one['start']), n=localised(f"{one['errors']:,}")))
                  for one in minutes),
            Look.BARS, Colour.BAD,
        ),
        Series(
            "p95, ms",
            tuple(Point(one["start"] + 30, one.get("p95"), words=gettext("{minute}\np95 {value} ms").format(minute=minute(one['start']), value=shown(one.get('p95'))))
                  for one in minutes),
            Look.STEPS, Colour.SECOND, is_on_right=True,
        ),
    )  # fmt: skip
    plot = Plot(
        drawn,
        times([one["start"] for one in minutes], width=MINUTE),
        numbers([one["requests"] for one in minutes], title=gettext("Requests"), whole=True),
        numbers([one.get("p95") for one in minutes], title="ms"),
        is_stacked=True,
        bar_width=0.9 * MINUTE,
    )
    rows = tuple(
        (minute(one["start"]), one["requests"], one["errors"], one.get("p50"), one.get("p95"), one.get("p99"))
        for one in minutes
    )
    columns = (gettext("Minute (UTC)"), gettext("Requests"), gettext("Errors"), "p50", "p95", "p99")
    return Chart(key, gettext("Requests by the minute"), plot, columns, rows)


def explored_chart(key: str, hours: Sequence[Mapping[str, Any]]) -> Chart:
    """The share of places explored and the share of explored ones among the clicks, by the hour."""
    shares = [(one, one["exploredClicks"] / one["clicks"] if one["clicks"] else None) for one in hours]
    drawn = (
        Series(
            gettext("of the places"),
            tuple(Point(one["start"], 100 * one["exploredShare"], words=_of_places(one))
                  for one, _ in shares),
            Look.STEPS,
        ),
        Series(
            gettext("of the clicks"),
            tuple(Point(one["start"], _percent(share), words=_of_clicks(one))
                  for one, share in shares),
            Look.STEPS, Colour.SECOND,
        ),
    )  # fmt: skip
    plot = Plot(
        drawn,
        times([one["start"] for one in hours], width=60 * MINUTE),
        numbers([0, *(point.y for series in drawn for point in series.points)], suffix=" %", title=gettext("Explored")),
    )
    rows = tuple(
        (minute(one["start"]), one["places"], 100 * one["exploredShare"], one["clicks"], one["exploredClicks"])
        for one in hours
    )
    columns = (
        gettext("Hour (UTC)"),
        gettext("Places"),
        gettext("Explored, %"),
        gettext("Clicks"),
        gettext("On explored"),
    )
    return Chart(key, gettext("Share that is explored"), plot, columns, rows)


def _of_places(hour: Mapping[str, Any]) -> str:
    words = ngettext("{minute}\n{share} % of {places} place", "{minute}\n{share} % of {places} places", hour["places"])
    share = localised(f"{100 * hour['exploredShare']:.1f}")
    return words.format(minute=minute(hour["start"]), share=share, places=localised(f"{hour['places']:,}"))


def _of_clicks(hour: Mapping[str, Any]) -> str:
    words = ngettext(
        "{minute}\n{explored} of {clicks} click", "{minute}\n{explored} of {clicks} clicks", hour["clicks"]
    )
    explored, clicks = (localised(f"{hour[name]:,}") for name in ("exploredClicks", "clicks"))
    return words.format(minute=minute(hour["start"]), explored=explored, clicks=clicks)


def lift_chart(key: str, points: Sequence[Mapping[str, Any]]) -> Chart:
    """The lift as it would have been read over time, with its 95 % interval as a band and no change as a line."""
    known = [point for point in points if point.get("lift") is not None and point.get("high") is not None]
    drawn = tuple(
        Point(one["end"], 100 * one["lift"], 100 * one["low"], 100 * one["high"],
              gettext("{end}\n{lift} % ({low} to {high})").format(end=minute(one['end']), lift=localised(f"{100 * one['lift']:.1f}"), low=localised(f"{100 * one['low']:.1f}"), high=localised(f"{100 * one['high']:.1f}")))
        for one in known
    )  # fmt: skip
    plot = Plot(
        (Series(gettext("Lift"), drawn, Look.STEPS, has_band=True),),
        times([point.x for point in drawn] or [0.0]),
        _settled(drawn),
        marks=(Mark(0, is_vertical=False, colour=Colour.BASELINE),),
    )
    columns = (
        gettext("Until (UTC)"),
        gettext("Control users"),
        gettext("Converted"),
        gettext("Treatment users"),
        gettext("Converted"),
        gettext("Lift, %"),
        gettext("Low, %"),
        gettext("High, %"),
    )
    rows = tuple(
        (minute(point["end"]), point["controlUsers"], point["controlConverted"], point["treatmentUsers"],
         point["treatmentConverted"], *(_percent(point.get(name)) for name in ("lift", "low", "high")))
        for point in points
    )  # fmt: skip
    return Chart(key, gettext("Lift over time"), plot, columns, rows)


def _settled(points: Sequence[Point]) -> Scale:
    """A scale for the later intervals; those of the first hours would flatten all the rest."""
    ends = [end for point in points[len(points) // 3 :] for end in (point.low, point.high) if end is not None]
    reach = min(400.0, 1.1 * max((abs(end) for end in ends), default=100.0))
    return numbers([max(-105.0, -reach), reach], suffix=" %", title=gettext("Lift"))


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def trial_lines(key: str, trials: Sequence[Mapping[str, Any]], objective: str) -> Chart | None:
    """Every finished trial of a tuning as a line through its settings to its value; None below two or without settings."""
    trials = [trial for trial in trials if trial.get("value") is not None]
    names = sorted({name for trial in trials for name in trial["parameters"]})
    if len(trials) < 2 or not names:
        return None
    columns = [_scaled([str(trial["parameters"].get(name, "")) for trial in trials]) for name in names]
    columns.append(_scaled([str(trial["value"]) for trial in trials]))
    ranked = sorted(range(len(trials)), key=lambda at: trials[at]["value"])
    drawn = tuple(
        Series(
            gettext("Trial {number}").format(number=trials[at]['number']),
            tuple(Point(place, column[at], words=_of_trial(trials[at], objective)) for place, column in enumerate(columns)),
            Look.LINE,
            f"q{rank * LEVELS // len(trials)}",
        )
        for rank, at in enumerate(ranked)
    )  # fmt: skip
    heads = [f"{name}: {_range(trials, name)}" for name in names] + [objective]
    plot = Plot(drawn, categories(heads), Scale(0, 1), is_parallel=True, height=220)
    rows = tuple(
        (trial["number"], *(trial["parameters"].get(name) for name in names), trial["value"]) for trial in trials
    )
    return Chart(key, gettext("Trials of the tuning"), plot, (gettext("Trial"), *names, objective), rows)


def _range(trials: Sequence[Mapping[str, Any]], name: str) -> str:
    """The lowest and the highest of a setting that the trials have."""
    texts = sorted({str(trial["parameters"].get(name, "")) for trial in trials})
    with suppress(ValueError):
        texts.sort(key=float)
        texts = [localised(f"{float(text):.3g}") for text in texts]
    return texts[0] if len(texts) == 1 else f"{texts[0]} – {texts[-1]}"


def _of_trial(trial: Mapping[str, Any], objective: str) -> str:
    settings = "\n".join(f"{name}: {value}" for name, value in sorted(trial["parameters"].items()))
    return gettext("Trial {number}\n{objective}: {value}\n{settings}").format(
        number=trial["number"], objective=objective, value=shown(trial["value"]), settings=settings
    )


def _scaled(texts: Sequence[str]) -> list[float]:
    """Where settings stand on their axis, from 0 to 1: numbers where they are, words one after the other.

    >>> _scaled(["8", "16", "12"]), _scaled(["true", "false"])
    ([0.0, 1.0, 0.5], [1.0, 0.0])
    """
    try:
        places = [float(text) for text in texts]
    except ValueError:
        words = sorted(set(texts))
        places = [float(words.index(text)) for text in texts]
    low, high = min(places), max(places)
    return [(place - low) / ((high - low) or 1) for place in places]
