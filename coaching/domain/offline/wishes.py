"""What is wished of a file, and what its columns mean once the wishes are heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from coaching.domain import tables
from coaching.domain.matching.problem import in_words
from coaching.domain.pairing import DEFAULT_PREFERENCES
from coaching.domain.ranking import Direction, Kind
from coaching.domain.selection import NARROWEST, WIDEST, Policy
from coaching.domain.tables.judging import day_order, decimal_sign
from coaching.domain.tables.profile import Profile, profiles
from coaching.errors import CoachingError

# Names by which a column is known without being named.
SEAT_NAMES = ("seats", "seat", "plätze")
HAND_NAMES = ("hand", "hands", "raised hand", "hand raised", "meldung")
MOST_SEATS = 100
MOST_POINTS = 1000
HEAVIEST = 1000.0
# Which option answers which open question.
_ANSWERS = {
    "person": "--person COLUMN",
    "date": "--date COLUMN",
    "dates": "--day-first or --month-first",
    "shape": "--shape events or --shape aggregated",
    "decimal": "--decimal , or --decimal .",
    "metrics": "--metric COLUMN --kind COLUMN=mean --direction COLUMN=higher",
}


class Refused(CoachingError):
    """The file cannot be planned as it is; `reasons` and row-numbered `problems` say why."""

    def __init__(
        self, reasons: str | Sequence[str], problems: Sequence[tables.Problem] = ()
    ) -> None:
        self.reasons = [reasons] if isinstance(reasons, str) else list(reasons)
        self.problems = list(problems)
        super().__init__("\n".join(self.reasons))


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """
    How a file is to be read, ranked and planned; None and empty leave it to the proposal.

    sheet, person, date, group, site, shift, team, seats_column, hand_column : names as in the file
    one_group : everybody is a peer of everybody
    metrics : columns or names of the metrics that count
    kinds, directions, weights, clocks : by column or name of a metric
    policy, q, quota : as in `selection.choose`
    seats : of a coach for whom the file gives no number
    points : added to a score of 0 to 1000 for the same site, shift or team
    good_rows : go on without the rows that have problems
    """

    sheet: str | None = None
    person: str | None = None
    date: str | None = None
    group: str | None = None
    one_group: bool = False
    site: str | None = None
    shift: str | None = None
    team: str | None = None
    seats_column: str | None = None
    hand_column: str | None = None
    metrics: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)
    shape: str | None = None
    day_first: bool | None = None
    decimal: str | None = None
    mapping: tables.Mapping | None = None
    policy: str = Policy.EVIDENCE
    q: float = 0.25
    quota: int | None = None
    seats: int = 2
    points: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_PREFERENCES))
    good_rows: bool = False

    def __post_init__(self) -> None:
        """:raises Refused: for numbers out of range, each with what to write instead"""
        wrong = []
        if self.policy not in list(Policy):
            wrong.append(f"--policy is one of {', '.join(Policy)}, not “{self.policy}”.")
        if not NARROWEST <= self.q <= WIDEST:
            wrong.append(f"--q is from {NARROWEST} to {WIDEST}, such as 0.25 for the quarters.")
        if self.quota is not None and self.policy != Policy.QUOTA:
            wrong.append("--quota belongs to --policy quota.")
        if self.quota is not None and self.quota < 1:
            wrong.append("--quota is the number of people from each end, 1 or more.")
        if not 0 <= self.seats <= MOST_SEATS:
            wrong.append(f"--seats is from 0 to {MOST_SEATS} learners a coach.")
        for name, value in self.points.items():
            if name not in ("site", "shift", "team") or not 0 <= value <= MOST_POINTS:
                wrong.append(
                    f"--points {name}={value}: give site, shift or team from 0 to {MOST_POINTS}."
                )
        for name, weight in self.weights.items():
            if not 0 <= weight <= HEAVIEST:
                wrong.append(f"--weights {name}={weight:g}: a weight is from 0 to {HEAVIEST:g}.")
        for name, kind in self.kinds.items():
            if kind not in list(Kind):
                wrong.append(f"--kind {name}={kind}: give one of {', '.join(Kind)}.")
        for name, way in self.directions.items():
            if way not in list(Direction):
                wrong.append(f"--direction {name}={way}: give higher or lower, what is better.")
        if self.group and self.one_group:
            wrong.append("--group and --one-group contradict each other; give one of them.")
        if wrong:
            raise Refused(wrong)


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """
    What the columns of a table mean for a plan.

    mapping : for `tables.aggregate`; no question is open
    group_by : the fact in the mapping that tells the peer groups apart, None for one group
    hand : the column with raised hands
    weights : per metric of the mapping, at least one above zero
    """

    mapping: tables.Mapping
    group_by: str | None
    hand: str | None
    weights: tuple[float, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        more = (self.hand,) if self.hand else ()
        return tuple(dict.fromkeys((*self.mapping.columns, *more)))


def meaning_of(table: tables.Table, wishes: Wishes) -> Meaning:
    """
    The proposal of the importer, overruled by what is wished.

    :raises Refused: for columns that are not there, and for every question left open
    """
    return _Reader(table, wishes).meaning()


def folded(text: object) -> str:
    """
    Text by which names are compared: without surplus spaces, whatever the letters' case.

    >>> folded("  Handle   TIME ")
    'handle time'
    """
    return " ".join(str(text).split()).casefold()


def closest(name: str, known: Iterable[str]) -> str:
    """
    A guess at what was meant, as the end of a sentence; empty without a good one.

    >>> closest("Leo", ["Lea", "Otto"])
    ' Did you mean “Lea”?'
    """
    spelled = {folded(one): one for one in known}
    found = get_close_matches(folded(name), spelled, n=1)
    return f" Did you mean “{spelled[found[0]]}”?" if found else ""


class _Reader:
    """A mapping on its way: proposed, then changed wish by wish."""

    def __init__(self, table: tables.Table, wishes: Wishes) -> None:
        self.table, self.wishes = table, wishes
        self.mapping = wishes.mapping or tables.propose(table)
        self.proposed = self.mapping.metrics
        self.profiles: dict[str, Profile] = {p.name: p for p in profiles(table)}

    def meaning(self) -> Meaning:
        wishes = self.wishes
        try:
            self._shape()
            if wishes.person is not None:
                self._person(self._column(wishes.person, "--person"))
            if self.mapping.who == "segments":
                raise Refused(
                    "The rows are about customer segments, and only people are paired. "
                    "Name the column that says who: --person COLUMN."
                )
            if wishes.date is not None:
                self._date(self._column(wishes.date, "--date"))
            if wishes.day_first is not None:
                self._change(day_first=wishes.day_first)
                self._settle("dates")
            group_by = self._facts()
            hand = self._special(wishes.hand_column, "--hand", HAND_NAMES)
            # Numbers about people are no metrics of theirs.
            self._release(hand, *self.mapping.attributes.values(), self.mapping.team)
            self._metrics()
            self._clocks()
            self._decimal()
            self._refuse_what_is_open()
            if self.mapping.shape == "roster" or not self.mapping.metrics:
                raise Refused(
                    "The file has no column with a metric, so nobody can be ranked. Name one: "
                    f"{_ANSWERS['metrics']}."
                )
            self.mapping.check(self.table)
            return Meaning(
                mapping=self.mapping,
                group_by=group_by,
                hand=hand,
                weights=self._weights(),
            )
        except tables.MappingError as error:
            raise Refused(str(error)) from error

    def _change(self, **changes: Any) -> None:
        """Change the mapping; columns that came into use are no longer left out."""
        changed = replace(self.mapping, **changes)
        used = set(changed.columns)
        ignored = tuple(one for one in changed.ignored if one.column not in used)
        self.mapping = replace(changed, ignored=ignored)

    def _settle(self, *about: str) -> None:
        kept = tuple(one for one in self.mapping.questions if one.about not in about)
        self.mapping = replace(self.mapping, questions=kept)

    def _column(self, name: str, option: str) -> str:
        """The name of a column, as in the file; :raises Refused: when there is none"""
        names = [column.name for column in self.table.columns]
        found = [one for one in names if one == name]
        found = found or [one for one in names if folded(one) == folded(name)]
        if found:
            return found[0]
        raise Refused(
            f"{option}: there is no column “{name}”.{closest(name, names)} "
            f"The columns are {_quoted(names)}."
        )

    def _special(self, wished: str | None, option: str, known: tuple[str, ...]) -> str | None:
        """A column by its wish, or by a name that can mean nothing else."""
        if wished is not None:
            return self._column(wished, option)
        names = [column.name for column in self.table.columns if folded(column.name) in known]
        return names[0] if names else None

    def _release(self, *columns: str | None) -> None:
        """Drop the metrics, and other facts, that would be read from these columns."""
        named = {folded(name) for name in self.wishes.metrics}
        taken = {column for column in columns if column} - {
            column.name for column in self.table.columns if folded(column.name) in named
        }
        kept = tuple(one for one in self.mapping.metrics if not taken.intersection(one.columns))
        if len(kept) < len(self.mapping.metrics):
            self._change(metrics=kept)

    def _shape(self) -> None:
        shape = self.wishes.shape
        if shape is None:
            return
        if shape == self.mapping.shape:
            self._settle("shape")
        elif any(one.about == "shape" for one in self.mapping.questions):
            self.mapping = tables.answer(self.mapping, "shape", shape)
            self.proposed = self.mapping.metrics
        else:
            raise Refused(
                f"--shape {shape}: these columns look like {self.mapping.shape} rows. Say what "
                "each column means with --mapping FILE.json (--show-mapping prints the one to "
                "start from)."
            )

    def _person(self, column: str) -> None:
        changes: dict[str, Any] = {"person": column, "who": "people"}
        for role in ("name", "team", "date"):
            if getattr(self.mapping, role) == column:
                changes[role] = None
        changes["attributes"] = {
            name: at for name, at in self.mapping.attributes.items() if at != column
        }
        self._release(column)
        self._change(**changes)
        self._settle("person")

    def _date(self, column: str) -> None:
        self._release(column)
        day_first, question = day_order(self.profiles[column])
        self._settle("date", "dates")
        self._change(date=column, day_first=day_first)
        if question is not None:
            self.mapping = replace(self.mapping, questions=(*self.mapping.questions, question))

    def _facts(self) -> str | None:
        """Site, shift, team, seats and the peer group; returns which fact is the group."""
        wishes = self.wishes
        for role in ("site", "shift"):
            if (wished := getattr(wishes, role)) is not None:
                self._attribute(role, self._column(wished, f"--{role}"))
        if wishes.team is not None:
            self._change(team=self._column(wishes.team, "--team"))
        seats = self._special(wishes.seats_column, "--seats-column", SEAT_NAMES)
        if seats is not None:
            self._attribute("capacity", seats)
        if wishes.one_group:
            return None
        if wishes.group is None:
            return "role" if "role" in self.mapping.attributes else None
        column = self._column(wishes.group, "--group")
        if column == self.mapping.team:
            return "team"
        for role in ("site", "shift", "language", "role"):
            if self.mapping.attributes.get(role) == column:
                return role
        self._attribute("role", column)
        return "role"

    def _attribute(self, role: str, column: str) -> None:
        self._change(attributes={**self.mapping.attributes, role: column})

    # -- metrics -----------------------------------------------------------------------

    def _metrics(self) -> None:
        wishes = self.wishes
        if wishes.metrics:
            chosen = [self._metric(name) for name in wishes.metrics]
            self._change(metrics=tuple(dict.fromkeys(chosen)))
            self._settle("metrics")
            clocks = {f"clock:{one.key}" for one in self.proposed} - {
                f"clock:{one.key}" for one in chosen
            }
            self._settle(*clocks)
        metrics = list(self.mapping.metrics)
        for option, given, change in (
            ("--kind", wishes.kinds, _of_kind),
            ("--direction", wishes.directions, _of_direction),
        ):
            for name, value in given.items():
                at = self._place(name, option)
                # What somebody says is no guess any more.
                metrics[at] = replace(change(metrics[at], value), confidence=1.0)
        self._change(metrics=tuple(metrics))

    def _metric(self, name: str) -> tables.MetricColumns:
        """A metric of the proposal, or a new one of a column whose kind and direction is said."""
        for one in self.proposed:
            if folded(name) in _names_of(one):
                return one
        column = self._column(name, "--metric")
        said = {folded(one): value for one, value in self.wishes.kinds.items()}
        way = {folded(one): value for one, value in self.wishes.directions.items()}
        if self.mapping.shape != "events":
            raise Refused(
                f"--metric {name}: this column says neither how many cases it rests on nor is it "
                "a metric with an n of its own. Name the columns like “CSAT n” and “CSAT mean”, "
                "or say what each means with --mapping FILE.json."
            )
        if folded(name) not in said or folded(name) not in way:
            raise Refused(
                f"--metric {name}: say what it is and what is better, for example "
                f"--kind {name}=mean --direction {name}=higher."
            )
        kind = said[folded(name)]
        key, taken = tables.slug(column)[:55], {one.key for one in self.proposed}
        while key in taken:
            key += "-x"
        return tables.MetricColumns(
            key=key,
            name=column[:120],
            kind=kind,
            direction=way[folded(name)],
            unit="s" if kind == "duration" else "",
            column=column,
        )

    def _place(self, name: str, option: str) -> int:
        for at, one in enumerate(self.mapping.metrics):
            if folded(name) in _names_of(one):
                return at
        names = [one.name for one in self.mapping.metrics]
        raise Refused(
            f"{option}: there is no metric “{name}” in this plan.{closest(name, names)} "
            f"The metrics are {_quoted(names)}."
        )

    def _clocks(self) -> None:
        for name, clock in self.wishes.clocks.items():
            at = self._place(name, "--clock")
            metrics = list(self.mapping.metrics)
            metrics[at] = replace(metrics[at], clock=clock)
            self._change(metrics=tuple(metrics))
            self._settle(f"clock:{metrics[at].key}")

    def _decimal(self) -> None:
        """Asked again, for wishes may have brought other columns into use."""
        self._settle("decimal")
        if self.wishes.decimal is not None:
            self._change(decimal=self.wishes.decimal)
            return
        used = [self.profiles[name] for name in self.mapping.columns if name in self.profiles]
        sign, question = decimal_sign(used)
        if question is None:
            self._change(decimal=sign or self.mapping.decimal)
        elif self.mapping.decimal is None:
            self.mapping = replace(self.mapping, questions=(*self.mapping.questions, question))

    def _refuse_what_is_open(self) -> None:
        # Without dates everything is one period, which is all a plan needs to know.
        self._settle("period")
        reasons = []
        for question in self.mapping.questions:
            about, _, key = question.about.partition(":")
            how = _ANSWERS.get(about)
            if about == "clock":
                name = next(one.name for one in self.mapping.metrics if one.key == key)
                how = f"--clock “{name}=m:s” or --clock “{name}=h:m:s”"
            options = "; ".join(option.label for option in question.options[:20])
            found = f" There is: {options}." if options else ""
            answer = f" Answer with {how}." if how else " Answer with --mapping FILE.json."
            reasons.append(f"{question.text}{found}{answer}")
        if reasons:
            raise Refused(reasons)

    def _weights(self) -> tuple[float, ...]:
        weights = [1.0] * len(self.mapping.metrics)
        for name, weight in self.wishes.weights.items():
            weights[self._place(name, "--weights")] = weight
        if not any(weights):
            raise Refused("Every metric has weight 0. Give at least one of them a weight.")
        return tuple(weights)


def _names_of(metric: tables.MetricColumns) -> set[str]:
    values = (metric.column, metric.mean, metric.sum, metric.label)
    return {folded(name) for name in (metric.name, metric.key, *values) if name}


def _of_kind(metric: tables.MetricColumns, kind: str) -> tables.MetricColumns:
    if kind == metric.kind:
        return metric
    # What was meant for another kind (percent, stars, minutes) does not hold for this one.
    return replace(
        metric,
        kind=kind,
        unit="s" if kind == "duration" else "",
        lower=None,
        upper=None,
        factor=1.0,
        exposure=metric.exposure if kind == "rate" else None,
    )


def _of_direction(metric: tables.MetricColumns, way: str) -> tables.MetricColumns:
    return replace(metric, direction=way)


def _quoted(names: Sequence[str]) -> str:
    shown = [f"“{name}”" for name in names[:30]]
    return in_words([*shown, "others"] if len(names) > 30 else shown)
