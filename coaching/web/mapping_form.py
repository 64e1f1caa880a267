"""
The form that says what a file's columns mean.

It shows an import's mapping column by column, and makes a new mapping of what
comes back. Whether that makes sense is the importer's to say.
"""

from collections.abc import Mapping as AnyMapping
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from coaching.domain.tables import NOT_OF_SEGMENTS, SEGMENT_ATTRIBUTES, slug
from coaching.models import Import, Metric
from coaching.notifications.words import tell

ROLES = {
    "person": _("Who the row is about"),
    "name": _("Their name"),
    "email": _("Their e-mail address"),
    "team": _("Their team"),
    "manager": _("Their manager's e-mail address"),
    "date": _("The day"),
}
ATTRIBUTES = {
    "role": _("Role"),
    "site": _("Site"),
    "shift": _("Shift"),
    "language": _("Language"),
    "time_zone": _("Time zone"),
    "started_on": _("First day at work"),
    "part_time": _("Part-time"),
    "capacity": _("Learners at a time"),
}
STATISTICS = {
    "n": _("How many"),
    "sum": _("Sum"),
    "mean": _("Mean"),
    "sd": _("Standard deviation"),
    "sumsq": _("Sum of squares"),
}
SHAPES = {
    "events": _("One row is one call, survey or case"),
    "aggregated": _("One row is a total: how many, and their mean or sum"),
    "roster": _("One row is a person, without numbers"),
}
WHO = {
    "people": _("People: staff, agents, advisors"),
    "segments": _("Customer segments: groups of customers"),
}
USES = [
    ("", [("ignored", _("Leave out"))]),
    (_("The person"), [*ROLES.items()][:-1]),
    (_("When"), [("date", ROLES["date"])]),
    (
        _("A skill, one row a case"),
        [("value", _("Its value")), ("exposure", _("How much there was to do"))],
    ),
    (
        _("A skill, one row a total"),
        [*STATISTICS.items(), ("metric", _("Which skill the row is about"))],
    ),
    (_("More about the person"), [(f"attribute:{k}", v) for k, v in ATTRIBUTES.items()]),
]
# Uses that belong to one skill, which the reader names beside them.
OF_A_SKILL = {"value", "exposure", *STATISTICS}
_NOTHING_OF_SEGMENTS = ("of people only", "")
DAY_ORDERS = {
    "": _("It shows by itself"),
    "true": _("Day first: 31/01"),
    "false": _("Month first: 01/31"),
}
# Kept with the mapping as it is, and translated where it is shown.
BY_HAND = gettext_noop("Left out by hand.")


class MappingForm:
    """
    A mapping to look at (`questions`, `columns`, `metrics`) and to change (`mapping()`).

    answers : what was posted; names are `use-<column>`, `skill-<column>`,
        `metric-<key>-<field>`, `answer-<question>`, `sheet`, `shape`, `who`, `day_first`,
        `period`
    """

    uses = USES
    shapes = [*SHAPES.items()]
    whos = [*WHO.items()]
    day_orders = [*DAY_ORDERS.items()]
    kinds = Metric.Kind.choices
    directions = Metric.Direction.choices

    def __init__(self, *, source: Import, answers: AnyMapping[str, Any] | None = None) -> None:
        self.current: dict = source.mapping
        self.preview: dict = source.preview
        self.sentences: dict = source.sentences
        self.answers = answers if answers is not None else {}
        self.sheets = self.preview.get("sheets", [])
        self.sheet = self.current.get("sheet", "")
        self.shape = self.current.get("shape", "events")
        self.who = self.current.get("who", "people")
        self.period = self.current.get("period") or ""
        self.day_first = {True: "true", False: "false"}.get(self.current.get("day_first"), "")

    # -- to look at ---------------------------------------------------------------------

    @property
    def questions(self) -> list[dict]:
        """Open questions, each with a field `input`: radio, check or date."""
        shown = []
        for question in self.preview.get("questions", []):
            kind = "date" if question["field"] == "period" else "radio"
            kind = "check" if question["field"] == "metrics" else kind
            shown.append(
                {
                    "text": self._told(question["text"]),
                    "options": [
                        {**option, "label": self._told(option["label"])}
                        for option in question["options"]
                    ],
                    "input": kind,
                    "name": f"answer-{question['field']}",
                }
            )
        return shown

    @property
    def columns(self) -> list[dict]:
        uses = self._uses()
        rows = []
        for index, column in enumerate(self.preview.get("columns", [])):
            use, skill = uses.get(column["name"], ("ignored", ""))
            # Reasons are of a fixed set; an earlier file's mapping may have brought them.
            why = gettext(column["why"]) if column["why"] else ""
            rows.append({**column, "why": why, "index": index, "use": use, "skill": skill})
        return rows

    def _told(self, text: str) -> str:
        return tell(self.sentences.get(text, text))

    @property
    def metrics(self) -> list[dict]:
        new = {metric["key"] for metric in self.preview.get("metrics", []) if metric["new"]}
        return [
            {
                **metric,
                "lower": _plain(metric.get("lower")),
                "upper": _plain(metric.get("upper")),
                "new": metric["key"] in new or not self.preview.get("metrics"),
            }
            for metric in self.current.get("metrics", [])
        ]

    def _uses(self) -> dict[str, tuple[str, str]]:
        """Column name -> its use and the skill it belongs to."""
        uses: dict[str, tuple[str, str]] = {}
        for role in (*ROLES, "metric"):
            if column := self.current.get(role):
                uses[column] = (role, "")
        for attribute, column in (self.current.get("attributes") or {}).items():
            uses[column] = (f"attribute:{attribute}", "")
        for metric in self.current.get("metrics", []):
            if metric.get("column"):
                uses[metric["column"]] = ("value", metric["name"])
            for use in ("exposure", *STATISTICS):
                if metric.get(use):
                    skill = "" if self.current.get("metric") else metric["name"]
                    uses[metric[use]] = (use, skill)
        return uses

    # -- to change ------------------------------------------------------------------------

    def mapping(self) -> dict:
        """The mapping that the answers describe, as plain values."""
        sheet = self.answers.get("sheet", self.sheet)
        if sheet != self.sheet:
            # Another sheet has other columns; what was said about these is of no use there.
            return {"sheet": sheet}
        shape = self.answers.get("answer-shape") or self.answers.get("shape", self.shape)
        who = self.answers.get("who", self.who)
        uses = self._answered_uses()
        if who == "segments":
            uses = {column: _of_segments(use) for column, use in uses.items()}
        made: dict[str, Any] = {
            "sheet": sheet,
            "shape": shape,
            "who": who,
            "grain": self.current.get("grain", "week"),
            "decimal": self.answers.get("answer-decimal") or self.current.get("decimal"),
            "day_first": self._day_first(),
            "attributes": {},
            "skipped_labels": self.current.get("skipped_labels", []),
        }
        for column, (use, _skill) in uses.items():
            if use in ROLES or (use == "metric" and shape == "aggregated"):
                made.setdefault(use, column)
            elif use.startswith("attribute:"):
                made["attributes"].setdefault(use.removeprefix("attribute:"), column)
        if shape == "roster":
            made["date"] = None
        elif not made.get("date"):
            made["period"] = self._period()
        made["metrics"] = self._metrics(shape, uses, long=bool(made.get("metric")))
        why = {item["column"]: item["why"] for item in self.current.get("ignored", [])}
        read = self._read_columns(made)
        made["ignored"] = [
            {
                "column": column,
                "why": why.get(column)
                or (NOT_OF_SEGMENTS if use == _NOTHING_OF_SEGMENTS else BY_HAND),
            }
            for column, use in uses.items()
            if column not in read
        ]
        made["questions"] = [
            question
            for question in self.current.get("questions", [])
            if not self._is_answered(question["about"])
        ]
        return made

    def _answered_uses(self) -> dict[str, tuple[str, str]]:
        uses = {}
        before = self._uses()
        for index, column in enumerate(self.preview.get("columns", [])):
            use, skill = before.get(column["name"], ("ignored", ""))
            use = self.answers.get(f"use-{index}", use)
            skill = self.answers.get(f"skill-{index}", skill).strip()
            uses[column["name"]] = (use, skill)
        for role in ("person", "date"):
            chosen = self.answers.get(f"answer-{role}")
            if chosen in uses:
                for column, (use, _) in uses.items():
                    if use == role:
                        uses[column] = ("ignored", "")
                uses[chosen] = (role, "")
        for column in self._chosen_metrics():
            if column in uses:
                uses[column] = ("value", "")
        return uses

    def _chosen_metrics(self) -> list[str]:
        getlist = getattr(self.answers, "getlist", None)
        return getlist("answer-metrics") if getlist else []

    def _day_first(self) -> bool | None:
        said = self.answers.get("answer-dates") or self.answers.get("day_first", self.day_first)
        return {"true": True, "false": False}.get(said)

    def _period(self) -> str | None:
        return self.answers.get("answer-period") or self.answers.get("period") or None

    def _metrics(
        self, shape: str, uses: dict[str, tuple[str, str]], *, long: bool
    ) -> list[dict[str, Any]]:
        if shape == "roster":
            return []
        if long:
            statistics = {use: column for column, (use, _) in uses.items() if use in STATISTICS}
            return [
                self._settings({**_bare(metric), **statistics})
                for metric in self.current.get("metrics", [])
            ]
        known = {metric["name"]: metric for metric in self.current.get("metrics", [])}
        known |= {
            metric["column"]: metric
            for metric in self.current.get("metrics", [])
            if metric.get("column")
        }
        found: dict[str, dict] = {}
        allowed = {"value": "column", "exposure": "exposure"}
        if shape == "aggregated":
            allowed = {use: use for use in STATISTICS}
        elif self.shape == "aggregated":
            # Rows that looked like totals are cases: their mean or sum is the case's value.
            allowed |= {"mean": "column", "sum": "column"}
        for column, (use, skill) in uses.items():
            if use not in allowed:
                continue
            name = skill or column
            earlier = known.get(name) or known.get(column)
            metric = found.setdefault(name, _bare(earlier) if earlier else _new(name))
            metric.setdefault(allowed[use], column)
        if shape == "aggregated":
            # A count may be that of several skills; the form has room for one beside it.
            for name, metric in found.items():
                for use in STATISTICS:
                    column = known.get(name, {}).get(use)
                    if column and uses.get(column, ("", ""))[0] == use:
                        metric.setdefault(use, column)
        return _with_own_keys([self._settings(metric) for metric in found.values()])

    def _settings(self, metric: dict[str, Any]) -> dict[str, Any]:
        """The metric with what was typed into its row."""
        row = f"metric-{metric['key']}"
        for name in ("name", "kind", "direction", "unit"):
            metric[name] = str(self.answers.get(f"{row}-{name}", metric.get(name, ""))).strip()
        for bound in ("lower", "upper"):
            if f"{row}-{bound}" in self.answers:
                metric[bound] = _number(self.answers[f"{row}-{bound}"])
        clock = self.answers.get(f"answer-clock:{metric['key']}")
        if clock:
            metric["clock"] = clock
        return metric

    def _read_columns(self, made: dict[str, Any]) -> set[str]:
        read = {made.get(role) for role in (*ROLES, "metric")} | set(made["attributes"].values())
        for metric in made["metrics"]:
            read |= {metric.get(use) for use in ("column", "exposure", *STATISTICS)}
        return read - {None}

    def _is_answered(self, about: str) -> bool:
        if about == "metrics":
            return bool(self._chosen_metrics()) or self._names_a_skill()
        if about in ("statistics",):
            return True
        return bool(self.answers.get(f"answer-{about}"))

    def _names_a_skill(self) -> bool:
        return any(use in OF_A_SKILL for use, _ in self._answered_uses().values())


def _of_segments(use: tuple[str, str]) -> tuple[str, str]:
    """A column's use in rows about segments, which have no address, team or manager."""
    role, _, attribute = use[0].partition(":")
    if role in ("email", "team", "manager") or (
        role == "attribute" and attribute not in SEGMENT_ATTRIBUTES
    ):
        return _NOTHING_OF_SEGMENTS
    return use


def _bare(metric: dict[str, Any]) -> dict[str, Any]:
    """A metric without its columns, which the form says anew."""
    columns = ("column", "exposure", *STATISTICS)
    return {name: value for name, value in metric.items() if name not in columns}


def _new(name: str) -> dict[str, Any]:
    return {"key": slug(name), "name": name[:120], "kind": "mean", "direction": "higher"}


def _with_own_keys(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two skills whose names differ only in signs would share a key; the second gets a number."""
    seen: set[str] = set()
    for metric in metrics:
        key, number = metric["key"], 2
        while metric["key"] in seen:
            metric["key"] = f"{key[:57]}-{number}"
            number += 1
        seen.add(metric["key"])
    return metrics


def _number(text: str) -> float | str | None:
    """The typed bound; what is no number is passed on, for the importer to refuse by name."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
