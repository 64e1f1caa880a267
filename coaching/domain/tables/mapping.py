"""
Which column means what: proposed by the file, corrected by a person, kept with the import.

A mapping is plain values only. It goes over the wire as JSON and is checked strictly on
its way in, for what comes back may have been written by anybody.
"""

import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from coaching.domain.said import said
from coaching.domain.tables.cells import Clock
from coaching.domain.tables.errors import MappingError
from coaching.domain.tables.reading import Table

Shape = Literal["events", "aggregated", "roster"]
Who = Literal["people", "segments"]
Kind = Literal["mean", "proportion", "rate", "duration"]
Direction = Literal["higher", "lower"]

# What a file may say about a person beside name, e-mail, team and manager.
ATTRIBUTES = (
    "role",
    "site",
    "shift",
    "language",
    "time_zone",
    "started_on",
    "part_time",
    "capacity",
)

# What a group of customers has none of.
SEGMENT_ATTRIBUTES = ("role", "site")
_OF_PEOPLE = ("email", "team", "manager")
NOT_OF_SEGMENTS = said("Customer segments have none.")

_STATISTICS = ("n", "sum", "mean", "sd", "sumsq")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_MOST_METRICS = 200
_LARGEST_FACTOR = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricColumns:
    """
    One metric and the columns it is read from.

    key, name, kind, direction, unit, lower, upper : what the metric is; values outside
        the bounds are refused
    column : event rows: the value of each call, survey or case
    exposure : event rows of a rate: how much there was to do in the row (1 if None)
    n, sum, mean, sd, sumsq : aggregated rows: the columns with these statistics; n and
        one of sum or mean are needed. For a rate, n is the exposure and sum the events
    label : long form: the word in the mapping's `metric` column that marks this metric
    factor : what one unit of a plain number is in the metric's own (60 for minutes in a
        duration, 0.01 for percent without its sign)
    clock : how times are meant; see `cells.parse_duration`
    confidence : of the proposal, 0 to 1
    """

    key: str
    name: str
    kind: Kind
    direction: Direction = "higher"
    unit: str = ""
    lower: float | None = None
    upper: float | None = None
    column: str | None = None
    exposure: str | None = None
    n: str | None = None
    sum: str | None = None
    mean: str | None = None
    sd: str | None = None
    sumsq: str | None = None
    label: str | None = None
    factor: float = 1.0
    clock: Clock = "h:m:s"
    confidence: float = 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns this metric reads."""
        named = (self.column, self.exposure, self.n, self.sum, self.mean, self.sd, self.sumsq)
        return tuple(name for name in named if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to a question."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    Something only a person can know.

    about : `shape`, `person`, `dates`, `decimal`, `period`, `metrics`, `statistics` or
        `clock:KEY`, KEY being a metric's
    """

    about: str
    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A column that is not read, and why."""

    column: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """
    How one table is read.

    sheet : the table's sheet, empty for CSV
    shape : `events` (one row a call, survey or case), `aggregated` (one row a person and
        period, with n and a sum or mean), `roster` (one row a person, no metrics)
    who : the rows are about `people` or about `segments` of customers, which have no e-mail
        address, team or manager, and of `attributes` only `SEGMENT_ATTRIBUTES`
    person : column that says who; None while that is an open question
    name, email, team, manager : further columns about the person; `manager` holds the
        e-mail address of their manager
    attributes : attribute (one of `ATTRIBUTES`) -> column
    date : column with the day; None when the file has none, and everything counts for
        the week of `period` (ISO date; None: the week in which the file is read)
    day_first : True, False, or None while ambiguous dates are an open question
    decimal : `"."`, `","`, or None if no number needs it
    grain : aggregated rows come once a `day` or once a `week`: two of a person for the
        same metric within one are a mistake
    metric : aggregated long form: the column with the metric's label
    skipped_labels : labels in that column that are left out on purpose
    confidence : role -> 0 to 1, for the proposal's roles
    """

    sheet: str = ""
    shape: Shape = "events"
    who: Who = "people"
    person: str | None = None
    name: str | None = None
    email: str | None = None
    team: str | None = None
    manager: str | None = None
    attributes: AnyMapping[str, str] = field(default_factory=dict)
    date: str | None = None
    period: str | None = None
    day_first: bool | None = None
    decimal: str | None = None
    grain: Literal["day", "week"] = "week"
    metric: str | None = None
    skipped_labels: tuple[str, ...] = ()
    metrics: tuple[MetricColumns, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    questions: tuple[Question, ...] = ()
    confidence: AnyMapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_sense(self)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read, each once, in a fixed order."""
        named = [self.person, self.name, self.email, self.team, self.manager, self.date]
        named += [self.metric, *self.attributes.values()]
        named += [column for metric in self.metrics for column in metric.columns]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them back."""
        plain = asdict(self)
        plain["attributes"] = dict(self.attributes)
        plain["confidence"] = dict(self.confidence)
        return json.loads(json.dumps(plain))

    @classmethod
    def from_json(cls, plain: object) -> "Mapping":
        """
        The mapping in these plain values, or in this JSON text.

        :raises MappingError: if anything is missing, unknown, of the wrong type, or
            contradicts itself; with the field's name
        """
        if isinstance(plain, str | bytes):
            try:
                plain = json.loads(plain)
            except (ValueError, RecursionError) as error:
                raise MappingError(said("The mapping is not valid JSON.")) from error
        values = _object(plain, "mapping", cls)
        text, maybe = _text, _maybe_text
        read: dict[str, Any] = {}
        for key, value in values.items():
            if key in ("person", "name", "email", "team", "manager", "date", "metric", "period"):
                read[key] = maybe(value, key)
            elif key in ("sheet", "shape", "who", "grain"):
                read[key] = text(value, key)
            elif key == "day_first":
                if value is not None and not isinstance(value, bool):
                    raise MappingError(said("Must be true, false or null."), field=key)
                read[key] = value
            elif key == "decimal":
                read[key] = maybe(value, key)
            elif key == "attributes":
                pairs = _plain_object(value, key)
                read[key] = {
                    text(name, key): text(column, f"{key}.{name}") for name, column in pairs.items()
                }
            elif key == "confidence":
                pairs = _plain_object(value, key)
                read[key] = {
                    text(role, key): _number(share, f"{key}.{shown_key(role)}")
                    for role, share in pairs.items()
                }
            elif key == "skipped_labels":
                read[key] = tuple(
                    text(label, f"{key}[{i}]") for i, label in enumerate(_list(value, key))
                )
            elif key == "metrics":
                items = _list(value, key)
                read[key] = tuple(_metric(item, f"{key}[{i}]") for i, item in enumerate(items))
            elif key == "ignored":
                items = _list(value, key)
                read[key] = tuple(
                    Ignored(**_texts(item, f"{key}[{i}]", Ignored)) for i, item in enumerate(items)
                )
            elif key == "questions":
                items = _list(value, key)
                read[key] = tuple(_question(item, f"{key}[{i}]") for i, item in enumerate(items))
        return cls(**read)

    def check(self, table: Table) -> None:
        """
        See that the table can be read this way.

        :raises MappingError: if a column is not there, or the person is not chosen
        """
        there = {column.name for column in table.columns}
        for column in self.columns:
            if column not in there:
                names = ", ".join(f"“{column.name}”" for column in table.columns[:30])
                raise MappingError(
                    said(
                        "The file has no column “%(column)s”. Its columns are %(names)s.",
                        column=column,
                        names=names,
                    ),
                    field="columns",
                )
        if self.person is None:
            raise MappingError(
                said("Choose the column that says who the row is about."), field="person"
            )
        if self.shape != "roster" and not self.metrics:
            raise MappingError(said("Choose at least one column with a metric."), field="metrics")


def about(mapping: Mapping, who: Who) -> Mapping:
    """
    The same mapping, said to be about people or about segments.

    Columns with what segments do not have are left out then.

    :raises MappingError: if `who` is neither
    """
    if who != "segments":
        return replace(mapping, who=who)
    dropped = {name: getattr(mapping, name) for name in _OF_PEOPLE if getattr(mapping, name)}
    dropped |= {
        name: column
        for name, column in mapping.attributes.items()
        if name not in SEGMENT_ATTRIBUTES
    }
    kept = replace(
        mapping,
        who=who,
        **dict.fromkeys(_OF_PEOPLE),
        attributes={
            name: column
            for name, column in mapping.attributes.items()
            if name in SEGMENT_ATTRIBUTES
        },
    )
    left_out = [
        Ignored(column=column, why=NOT_OF_SEGMENTS)
        for column in dict.fromkeys(dropped.values())
        if column not in kept.columns
    ]
    return replace(kept, ignored=(*kept.ignored, *left_out))


def slug(name: str) -> str:
    """
    A metric's key from its name: at most 60 letters, digits and hyphens.

    >>> slug("Answered (Y/N)"), slug("Zufriedenheit Ø"), slug("満足度")
    ('answered-y-n', 'zufriedenheit-o', 'metric')
    """
    plain = name.replace("ß", "ss").replace("Ø", "O").replace("ø", "o")
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:60].strip("-") or "metric"


# -- sense -----------------------------------------------------------------------------


def _check_sense(mapping: Mapping) -> None:
    _one_of(mapping.shape, get_args(Shape), "shape")
    _one_of(mapping.who, get_args(Who), "who")
    _one_of(mapping.grain, ("day", "week"), "grain")
    _one_of(mapping.decimal, (None, ".", ","), "decimal")
    if mapping.period is not None:
        try:
            dt.date.fromisoformat(mapping.period)
        except ValueError:
            raise MappingError(
                said("“%(text)s” is not a date. Write it as 2021-01-31.", text=mapping.period),
                field="period",
            ) from None
    for attribute in mapping.attributes:
        _one_of(attribute, ATTRIBUTES, "attributes")
    if mapping.who == "segments":
        for fact in _OF_PEOPLE:
            if getattr(mapping, fact) is not None:
                raise MappingError(
                    said("A customer segment has no %(fact)s. Leave this column out.", fact=fact),
                    field=fact,
                )
        for attribute in mapping.attributes:
            _one_of(attribute, SEGMENT_ATTRIBUTES, "attributes")
    if mapping.shape == "roster" and mapping.metrics:
        raise MappingError(said("A roster has no metrics."), field="metrics")
    if mapping.metric is not None and mapping.shape != "aggregated":
        raise MappingError(said("A column of metric labels needs aggregated rows."), field="metric")
    if len(mapping.metrics) > _MOST_METRICS:
        raise MappingError(
            said("At most %(most)s metrics in one file.", most=_MOST_METRICS), field="metrics"
        )
    seen: set[str] = set()
    labels: set[str | None] = set()
    for at, metric in enumerate(mapping.metrics):
        where = f"metrics[{at}]"
        _check_metric(metric, mapping, where)
        if metric.key in seen:
            raise MappingError(
                said("Two metrics have the key “%(key)s”.", key=metric.key), field=f"{where}.key"
            )
        seen.add(metric.key)
        if mapping.metric is not None and metric.label in labels:
            raise MappingError(
                said("Two metrics have the label “%(label)s”.", label=metric.label),
                field=f"{where}.label",
            )
        labels.add(metric.label)


def _check_metric(metric: MetricColumns, mapping: Mapping, where: str) -> None:
    if not _SLUG.fullmatch(metric.key) or len(metric.key) > 60:
        raise MappingError(
            said(
                "“%(key)s” is not a key. Use small letters, digits and hyphens, at most 60.",
                key=metric.key,
            ),
            field=f"{where}.key",
        )
    if not metric.name.strip() or len(metric.name) > 120:
        raise MappingError(
            said("A metric needs a name of at most 120 letters."), field=f"{where}.name"
        )
    if len(metric.unit) > 30:
        raise MappingError(said("A unit has at most 30 letters."), field=f"{where}.unit")
    _one_of(metric.kind, get_args(Kind), f"{where}.kind")
    _one_of(metric.direction, get_args(Direction), f"{where}.direction")
    _one_of(metric.clock, get_args(Clock), f"{where}.clock")
    for name in ("lower", "upper", "factor", "confidence"):
        value = getattr(metric, name)
        if value is not None and not math.isfinite(value):
            raise MappingError(said("Must be a finite number."), field=f"{where}.{name}")
    if not 0 < metric.factor <= _LARGEST_FACTOR:
        raise MappingError(
            said("The factor must be greater than zero, and at most a million."),
            field=f"{where}.factor",
        )
    if metric.lower is not None and metric.upper is not None and metric.lower >= metric.upper:
        raise MappingError(
            said("The smallest possible value must lie below the largest."), field=f"{where}.lower"
        )
    statistics = [name for name in _STATISTICS if getattr(metric, name) is not None]
    if mapping.shape == "aggregated":
        if metric.column is not None or metric.exposure is not None:
            raise MappingError(
                said("Aggregated rows are read from n and sum or mean; name those columns."),
                field=f"{where}.column",
            )
        if metric.n is None or (metric.sum is None) == (metric.mean is None):
            raise MappingError(
                said("Aggregated rows need a column n and either a sum or a mean."),
                field=f"{where}.n",
            )
        if mapping.metric is not None and not metric.label:
            raise MappingError(
                said("Say which label in “%(column)s” this metric has.", column=mapping.metric),
                field=f"{where}.label",
            )
        return
    if metric.column is None:
        raise MappingError(said("Name the column with the values."), field=f"{where}.column")
    if statistics or metric.label is not None:
        raise MappingError(
            said("Columns n, sum, mean, sd, sumsq and a label belong to aggregated rows."),
            field=f"{where}.{statistics[0] if statistics else 'label'}",
        )
    if metric.exposure is not None and metric.kind != "rate":
        raise MappingError(said("Only a rate has an exposure."), field=f"{where}.exposure")


def _one_of(value: object, allowed: tuple[object, ...], where: str) -> None:
    if value not in allowed:
        words = ", ".join("null" if choice is None else str(choice) for choice in allowed)
        raise MappingError(
            said("“%(value)s” is not one of %(words)s.", value=shown_key(value), words=words),
            field=where,
        )


# -- plain values ----------------------------------------------------------------------


def shown_key(value: object) -> str:
    """A foreign value in a message: short, and without characters that cannot be seen."""
    return _UNSEEN.sub("\ufffd", str(value))[:60]


def _plain_object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MappingError(said("Must be an object with named fields."), field=where)
    return value


def _object(value: object, where: str, cls: type) -> dict[str, Any]:
    values = _plain_object(value, where)
    known = [part.name for part in fields(cls)]
    for key in values:
        if key not in known:
            raise MappingError(
                said(
                    "“%(key)s” is unknown here. Known are %(known)s.",
                    key=shown_key(key),
                    known=", ".join(known),
                ),
                field=where,
            )
    return values


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > 1000:
        raise MappingError(said("Must be a list of at most 1,000 items."), field=where)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise MappingError(said("Must be a text."), field=where)
    if len(value) > 1000 or _UNSEEN.search(value):
        raise MappingError(
            said("Must be at most 1,000 characters, without control characters."), field=where
        )
    return value


def _maybe_text(value: object, where: str) -> str | None:
    return None if value is None else _text(value, where)


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MappingError(said("Must be a number."), field=where)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MappingError(said("Must be a finite number."), field=where)
    return number


def _missing(name: str, where: str) -> MappingError:
    return MappingError(said("“%(name)s” is missing.", name=name), field=where)


def _texts(value: object, where: str, cls: type) -> dict[str, str]:
    values = _object(value, where, cls)
    missing = [part.name for part in fields(cls) if part.name not in values]
    if missing:
        raise _missing(missing[0], where)
    return {key: _text(item, f"{where}.{key}") for key, item in values.items()}


def _question(value: object, where: str) -> Question:
    values = dict(_object(value, where, Question))
    options = _list(values.pop("options", []), f"{where}.options")
    for name in ("about", "text"):
        if name not in values:
            raise _missing(name, where)
    return Question(
        about=_text(values["about"], f"{where}.about"),
        text=_text(values["text"], f"{where}.text"),
        options=tuple(
            Option(**_texts(option, f"{where}.options[{i}]", Option))
            for i, option in enumerate(options)
        ),
    )


def _metric(value: object, where: str) -> MetricColumns:
    values = _object(value, where, MetricColumns)
    for name in ("key", "name", "kind"):
        if name not in values:
            raise _missing(name, f"{where}.{name}")
    read: dict[str, Any] = {}
    for key, item in values.items():
        place = f"{where}.{key}"
        if key in ("lower", "upper"):
            read[key] = None if item is None else _number(item, place)
        elif key in ("factor", "confidence"):
            read[key] = _number(item, place)
        elif key in ("key", "name", "kind", "direction", "unit", "clock"):
            read[key] = _text(item, place)
        else:
            read[key] = _maybe_text(item, place)
    return MetricColumns(**read)
