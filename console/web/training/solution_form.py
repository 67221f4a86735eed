"""The form that makes a solution: drawn from the recipe's declared hyperparameters and the group's own events and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext, gettext_lazy

from console.errors import ServiceError
from console.models import Solution
from console.shapes import JSONDict
from console.web.evaluation.report import same_setting
from console.web.forms import OperationForm, name_field
from console.web.glossary import explained
from console.web.languages import lazily

EVENT_ROWS = 10
OBJECTIVES = ("aws-user-personalization", "aws-personalized-ranking")
SENSITIVITIES = [
    ("LOW", lazily("Low")),
    ("MEDIUM", lazily("Medium")),
    ("HIGH", lazily("High")),
    ("OFF", lazily("Off")),
]
CHECK = {"class": "form-check-input"}
SMALL = {"class": "form-control form-control-sm"}


@dataclass(frozen=True)
class Setting:
    """A hyperparameter as the page shows it: its declaration, its field and, where tuning may change it, its range's fields."""

    declared: JSONDict
    field: BoundField
    tune: BoundField | None = None
    low: BoundField | None = None
    high: BoundField | None = None


@dataclass(frozen=True)
class EventRow:
    """One event type's fields."""

    type: BoundField
    threshold: BoundField
    weight: BoundField

    @property
    def fields(self) -> tuple[BoundField, ...]:
        """The row in order."""
        return (self.type, self.threshold, self.weight)


class SolutionForm(OperationForm):
    """CreateSolution for one recipe on one group."""

    operation = "CreateSolution"
    fields_of: ClassVar[Mapping[str, str]] = {
        "performHPO": "perform_hpo",
        "performAutoTraining": "perform_auto_training",
    }

    name = name_field()
    perform_auto_training = forms.BooleanField(label=gettext_lazy("Retrain automatically"), required=False)
    auto_training_days = forms.IntegerField(
        label=gettext_lazy("Days between trainings"), min_value=1, max_value=30, required=False, initial=7
    )
    perform_hpo = forms.BooleanField(label=gettext_lazy("Tune"), required=False)
    max_jobs = forms.IntegerField(
        label=gettext_lazy("Number of trials"), min_value=1, max_value=40, required=False, initial=8
    )
    max_parallel = forms.IntegerField(
        label=gettext_lazy("Trials at a time"),
        min_value=1,
        max_value=10,
        required=False,
        initial=1,
        help_text=gettext_lazy(
            "Each takes a processor and the memory of a training; no more run than there are processors."
        ),
    )

    def __init__(self, group_arn: str, choice: JSONDict, choices: JSONDict, **kwargs: Any) -> None:
        """Draw the form for `choice`, a recipe of `choices`, which is what ListRecipeChoices says of the group."""
        super().__init__(**kwargs)
        self.group_arn, self.choice, self.event_types = group_arn, choice, choices["eventTypes"]
        tuned = self.initial.pop("only_tuned", None)
        columns = choices["columns"]
        used = {need["datasetType"] for need in choice["requirements"]}
        self.columns = [column for column in columns if column["isOptional"] and column["datasetType"] in used]
        for declared in choice["hyperparameters"]:
            self._add_hyperparameter(declared)
        for row in range(EVENT_ROWS):
            self._add_event(row)
        for column in self.columns:
            self.fields[_column_field(column)] = forms.BooleanField(
                label=column["name"], required=False, initial=True, widget=forms.CheckboxInput(CHECK)
            )
        self._offer_objective(columns)
        if tuned is not None:
            self.initial.update((f"tune_{d['name']}", d["name"] in tuned) for d in choice["hyperparameters"])

    @property
    def settings(self) -> list[Setting]:
        """The hyperparameters with their fields."""
        return [
            Setting(declared, self[f"set_{declared['name']}"], *self._range_fields(declared["name"]))
            for declared in self.choice["hyperparameters"]
        ]

    @property
    def is_tunable(self) -> bool:
        """Whether tuning can change anything."""
        return any(declared["isTunable"] for declared in self.choice["hyperparameters"])

    @property
    def event_rows(self) -> list[EventRow]:
        """The rows of the events table: one for each type in the data, and two more."""
        shown = min(EVENT_ROWS, max(len(self.event_types) + 1, 3, self._filled_rows()))
        return [
            EventRow(self[f"event_{row}_type"], self[f"event_{row}_threshold"], self[f"event_{row}_weight"])
            for row in range(shown)
        ]

    @property
    def column_fields(self) -> dict[str, list[BoundField]]:
        """The columns' boxes by dataset type."""
        groups: dict[str, list[BoundField]] = {}
        for column in self.columns:
            kind = column["datasetType"].capitalize().replace("_", " ")
            groups.setdefault(kind, []).append(self[_column_field(column)])
        return groups

    @property
    def has_objective(self) -> bool:
        """Whether the recipe and the data allow an objective."""
        return "objective_column" in self.fields

    def members(self) -> JSONDict:
        """What was entered, by CreateSolution's wire names; only what differs from the defaults."""
        entered = self.cleaned_data
        config: JSONDict = {}
        for declared in self.choice["hyperparameters"]:
            value = str(entered[f"set_{declared['name']}"])
            if value and not same_setting(value, declared["default"]):
                kind = "featureTransformationParameters" if declared["isFeaturization"] else "algorithmHyperParameters"
                config.setdefault(kind, {})[declared["name"]] = value
        if events := list(self._events()):
            config["eventsConfig"] = {"eventParametersList": events}
        if excluded := self._excluded():
            config["trainingDataConfig"] = {"excludedDatasetColumns": excluded}
        if entered["perform_hpo"]:
            config["hpoConfig"] = self._hpo()
        if entered["perform_auto_training"]:
            days = entered["auto_training_days"] or 7
            config["autoTrainingConfig"] = {"schedulingExpression": f"rate({days} day{'s' if days > 1 else ''})"}
        if entered.get("objective_column"):
            config["optimizationObjective"] = {
                "itemAttribute": entered["objective_column"],
                "objectiveSensitivity": entered["objective_sensitivity"] or "LOW",
            }
        return {
            "name": entered["name"],
            "datasetGroupArn": self.group_arn,
            "recipeArn": self.choice["recipeArn"],
            "performHPO": bool(entered["perform_hpo"]),
            "performAutoTraining": bool(entered["perform_auto_training"]),
            "solutionConfig": config or None,
        }

    def add_service_error(self, error: ServiceError) -> None:
        """Put an operation's error at the hyperparameter it begins with, else at the member's field."""
        named = [d["name"] for d in self.choice["hyperparameters"] if str(error).startswith(f"{d['name']} ")]
        if named:
            self.add_error(f"set_{named[0]}", explained(str(error)))
        else:
            super().add_service_error(error)

    def _add_hyperparameter(self, declared: JSONDict) -> None:
        name, numeric = declared["name"], declared["type"] in {"integer", "number"}
        attrs: dict[str, Any] = {"data-default": declared["default"], "class": "form-control form-control-sm"}
        options = ["true", "false"] if declared["type"] == "boolean" else declared.get("choices", [])
        if options:
            widget: forms.Widget = forms.Select(
                {**attrs, "class": "form-select form-select-sm"}, [(option, option) for option in options]
            )
        else:
            step = {"integer": "1", "number": "any"}.get(declared["type"])
            limits = {"min": _short(declared.get("low")), "max": _short(declared.get("high")), "step": step}
            attrs |= {key: value for key, value in limits.items() if value is not None}
            widget = forms.NumberInput(attrs) if numeric else forms.TextInput(attrs)
        self.fields[f"set_{name}"] = forms.CharField(
            label=name, initial=declared["default"], required=False, help_text=declared["help"], widget=widget
        )
        if declared["isTunable"]:
            self.fields[f"tune_{name}"] = forms.BooleanField(
                label=gettext("Tune {name}").format(name=name),
                required=False,
                initial=True,
                widget=forms.CheckboxInput(CHECK),
            )
            if numeric:
                for end in ("low", "high"):
                    self.fields[f"{end}_{name}"] = forms.FloatField(
                        label=(gettext("{name}, from") if end == "low" else gettext("{name}, to")).format(name=name),
                        initial=_short(declared.get(end)),
                        required=False,
                        widget=forms.NumberInput(attrs | {"data-default": _short(declared.get(end))}),
                    )

    def _add_event(self, row: int) -> None:
        known = self.event_types[row]["eventType"] if row < len(self.event_types) else ""
        self.fields[f"event_{row}_type"] = forms.CharField(
            label=gettext("Event type {row}").format(row=row + 1),
            required=False,
            max_length=256,
            widget=forms.TextInput({**SMALL, "list": "event-types", "placeholder": known}),
        )
        self.fields[f"event_{row}_threshold"] = forms.FloatField(
            label=gettext("Minimum value"), required=False, widget=forms.NumberInput({**SMALL, "step": "any"})
        )
        self.fields[f"event_{row}_weight"] = forms.FloatField(
            label=gettext("Weight"),
            required=False,
            min_value=0,
            max_value=1,
            widget=forms.NumberInput({**SMALL, "step": "any", "min": 0, "max": 1}),
        )

    def _offer_objective(self, columns: list[JSONDict]) -> None:
        numeric = [c["name"] for c in columns if c["datasetType"] == "ITEMS" and c["isNumeric"]]
        if self.choice["name"] not in OBJECTIVES or not numeric:
            return
        select = {"class": "form-select form-select-sm"}
        self.fields["objective_column"] = forms.ChoiceField(
            label=gettext("Objective column"),
            required=False,
            choices=[("", gettext("None")), *((name, name) for name in numeric)],
            widget=forms.Select(select),
        )
        self.fields["objective_sensitivity"] = forms.ChoiceField(
            label=gettext("Sensitivity"), required=False, choices=SENSITIVITIES, widget=forms.Select(select)
        )

    def _range_fields(self, name: str) -> Iterator[BoundField | None]:
        for prefix in ("tune", "low", "high"):
            yield self[f"{prefix}_{name}"] if f"{prefix}_{name}" in self.fields else None

    def _filled_rows(self) -> int:
        entered: Mapping[str, Any] = self.data if self.is_bound else self.initial
        filled = [row for row in range(EVENT_ROWS) if entered.get(f"event_{row}_type")]
        return max(filled, default=-1) + 1

    def _events(self) -> Iterator[JSONDict]:
        for row in range(EVENT_ROWS):
            entered = {part: self.cleaned_data.get(f"event_{row}_{part}") for part in ("type", "threshold", "weight")}
            if entered["type"]:
                members = {"eventValueThreshold": entered["threshold"], "weight": entered["weight"]}
                given = {member: value for member, value in members.items() if value is not None}
                yield {"eventType": entered["type"]} | given

    def _excluded(self) -> dict[str, list[str]]:
        excluded: dict[str, list[str]] = {}
        for column in self.columns:
            if not self.cleaned_data[_column_field(column)]:
                excluded.setdefault(column["datasetType"], []).append(column["name"])
        return excluded

    def _hpo(self) -> JSONDict:
        ranges: dict[str, list[JSONDict]] = {}
        for declared in self.choice["hyperparameters"]:
            name = declared["name"]
            if not self.cleaned_data.get(f"tune_{name}"):
                continue
            low, high = self.cleaned_data.get(f"low_{name}"), self.cleaned_data.get(f"high_{name}")
            if declared["type"] == "integer":
                found = {"name": name, "minValue": int(low or 0), "maxValue": int(high or 0)}
                ranges.setdefault("integerHyperParameterRanges", []).append(found)
            elif declared["type"] == "number":
                found = {"name": name, "minValue": float(low or 0), "maxValue": float(high or 0)}
                ranges.setdefault("continuousHyperParameterRanges", []).append(found)
            else:
                values = ["true", "false"] if declared["type"] == "boolean" else declared["choices"]
                ranges.setdefault("categoricalHyperParameterRanges", []).append({"name": name, "values": values})
        jobs, parallel = self.cleaned_data["max_jobs"] or 8, self.cleaned_data["max_parallel"] or 1
        return {
            "hpoResourceConfig": {"maxNumberOfTrainingJobs": str(jobs), "maxParallelTrainingJobs": str(parallel)},
            "algorithmHyperParameterRanges": ranges,
        }


def entered_for(solution: Solution) -> JSONDict:
    """What the form was filled with when this solution was made, field by field: the inverse of `SolutionForm.members`."""
    config = solution.config
    known = config.get("algorithmHyperParameters", {}) | config.get("featureTransformationParameters", {})
    events = config.get("eventsConfig", {}).get("eventParametersList", [])
    objective = config.get("optimizationObjective", {})
    excluded = config.get("trainingDataConfig", {}).get("excludedDatasetColumns", {})
    return (
        {f"set_{name}": value for name, value in known.items()}
        | {f"event_{row}_type": event["eventType"] for row, event in enumerate(events)}
        | {f"event_{row}_threshold": event.get("eventValueThreshold") for row, event in enumerate(events)}
        | {f"event_{row}_weight": event.get("weight") for row, event in enumerate(events)}
        | {f"use_{kind}_{name}": False for kind, names in excluded.items() for name in names}
        | _tuning_for(config.get("hpoConfig"), is_on=solution.perform_hpo)
        | {"perform_auto_training": solution.perform_auto_training and "autoTrainingConfig" in config}
        | {"auto_training_days": solution.days_between_trainings}
        | {"objective_column": objective.get("itemAttribute", "")}
        | {"objective_sensitivity": objective.get("objectiveSensitivity", "LOW")}
    )


def _tuning_for(config: JSONDict | None, *, is_on: bool) -> JSONDict:
    """The fields of tuning; a hyperparameter without a range was not to be tried."""
    if not config:
        return {"perform_hpo": is_on}
    resources, ranges = config.get("hpoResourceConfig", {}), config.get("algorithmHyperParameterRanges", {})
    tried = [one for kind in ranges.values() for one in kind]
    return (
        {"perform_hpo": is_on, "only_tuned": [one["name"] for one in tried]}
        | {f"low_{one['name']}": one["minValue"] for one in tried if "minValue" in one}
        | {f"high_{one['name']}": one["maxValue"] for one in tried if "maxValue" in one}
        | {
            "max_jobs": int(resources.get("maxNumberOfTrainingJobs", 8)),
            "max_parallel": int(resources.get("maxParallelTrainingJobs", 1)),
        }
    )


def _column_field(column: JSONDict) -> str:
    return f"use_{column['datasetType']}_{column['name']}"


def _short(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"
