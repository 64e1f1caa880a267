"""Propose how a table is read, from the names of its columns and from what they hold."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from coaching.domain.said import said
from coaching.domain.tables import words
from coaching.domain.tables.cells import CellError, parse_date, parse_duration
from coaching.domain.tables.errors import MappingError
from coaching.domain.tables.judging import (
    as_events,
    best_name,
    counts_cases,
    day_order,
    decimal_sign,
    five_stars,
    has_fractions,
    heading,
    how_many,
    is_prose,
    is_short,
    largest,
    may_be_date,
    of_others,
    scale_of,
    statistic_columns,
    why_ignored,
)
from coaching.domain.tables.mapping import (
    SEGMENT_ATTRIBUTES,
    Direction,
    Ignored,
    Kind,
    Mapping,
    MetricColumns,
    Option,
    Question,
    shown_key,
    slug,
)
from coaching.domain.tables.profile import Profile, profiles
from coaching.domain.tables.reading import Table

_DAY = 86_400.0
# Fewer different values than this, and a column hardly says who.
_FEWEST_PEOPLE = 8
_MOST_LABELS = 50
# Names of identifiers that do not say of what.
_LONELY = ("id", "nr", "number", "code", "login", "username", "user")

_WHICH_WEEK = Question(
    about="period",
    text=said("The file has no dates, so everything counts as one period. Which week is it?"),
)


_PEOPLE_REPEAT = said(
    "People come several times for the same day. Is each row a total, or a single case?"
)
_SEGMENTS_REPEAT = said(
    "Segments come several times for the same day. Is each row a total, or a single case?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMetric:
    """A metric that exists already; columns that bear its name take its meaning."""

    key: str
    name: str
    kind: Kind
    direction: Direction
    unit: str = ""
    lower: float | None = None
    upper: float | None = None


def propose(
    table: Table,
    known_metrics: Iterable[KnownMetric] = (),
    known_columns: Mapping | None = None,
) -> Mapping:
    """
    A mapping of the table's columns, with a question for everything only a person can know.

    known_metrics : metrics that exist; their kind, direction and bounds are taken over
    known_columns : the mapping of an earlier file; used again when its columns are all here

    :raises TableError: if the file turns out to be damaged further down
    """
    columns = profiles(table)
    if known_columns is not None and _fits(known_columns, columns):
        return _again(known_columns, table, columns)
    return _Proposal(table, columns, list(known_metrics)).mapping()


def answer(mapping: Mapping, about: str, value: str) -> Mapping:
    """
    The mapping with one of its questions answered, and no longer asked.

    about, value : the question's `about`, and the value of an option (any column for
        `person` and `date`, an ISO date for `period`)

    :raises MappingError: if nothing of the kind is asked, or the value is no answer to it
    """
    question = next((q for q in mapping.questions if q.about == about), None)
    if question is None:
        raise MappingError(
            said("“%(about)s” is not an open question.", about=shown_key(about)), field="questions"
        )
    one_of_them = about.partition(":")[0] in ("shape", "dates", "decimal", "clock")
    if one_of_them and value not in [option.value for option in question.options]:
        raise MappingError(
            said(
                "“%(value)s” does not answer: %(question)s",
                value=shown_key(value),
                question=question.text,
            ),
            field=about,
        )
    changes: dict[str, Any] = {
        "questions": tuple(q for q in mapping.questions if q is not question)
    }
    if about in ("person", "date", "period", "decimal"):
        changes[about] = value
    elif about == "dates":
        changes["day_first"] = value == "true"
    elif about == "shape" and value != mapping.shape:
        changes["shape"] = value
        changes["metrics"] = tuple(as_events(metric) for metric in mapping.metrics)
    elif about.startswith("clock:"):
        key = about.removeprefix("clock:")
        changes["metrics"] = tuple(
            replace(metric, clock=value) if metric.key == key else metric
            for metric in mapping.metrics
        )
    elif about == "metrics":
        raise MappingError(said("Name the metrics themselves instead."), field="metrics")
    return replace(mapping, **changes)


def _may_name(profile: Profile) -> bool:
    """Whether a column could say who somebody is, though its name does not speak of people."""
    if profile.is_email or profile.words in _LONELY:
        return not profile.numbers_the_rows
    foreign = words.NOT_A_PERSON.search(profile.words) or words.MANAGER.search(profile.words)
    return bool(words.NAME.search(profile.words)) and profile.is_text and not foreign


def _fits(earlier: Mapping, columns: Sequence[Profile]) -> bool:
    there = {profile.name for profile in columns}
    return earlier.person is not None and there.issuperset(earlier.columns)


def _again(earlier: Mapping, table: Table, columns: Sequence[Profile]) -> Mapping:
    by_name = {profile.name: profile for profile in columns}
    used = set(earlier.columns)
    questions: list[Question] = []
    day_first, decimal = earlier.day_first, earlier.decimal
    if earlier.date is None and earlier.shape != "roster":
        questions.append(_WHICH_WEEK)
    if earlier.date is not None:
        found, question = day_order(by_name[earlier.date])
        if question is not None and day_first is None:
            questions.append(question)
        day_first = day_first if found is None else found
    found_sign, question = decimal_sign([by_name[name] for name in earlier.columns])
    if question is not None and decimal is None:
        questions.append(question)
    known = {ignored.column: ignored.why for ignored in earlier.ignored}
    return replace(
        earlier,
        sheet=table.sheet,
        period=None,
        day_first=day_first,
        decimal=found_sign or decimal,
        ignored=tuple(
            Ignored(column=p.name, why=known.get(p.name, said("Not read last time.")))
            for p in columns
            if p.name not in used
        ),
        questions=tuple(questions),
    )


class _Proposal:
    """One proposal in the making: every column is claimed once, for a role or a metric."""

    def __init__(
        self, table: Table, columns: Sequence[Profile], known: Sequence[KnownMetric]
    ) -> None:
        self._table = table
        self._columns = columns
        self._known = {slug(metric.name): metric for metric in known}
        self._known.update({metric.key: metric for metric in known})
        self._free = {profile.name: profile for profile in columns if not profile.is_empty}
        self._questions: list[Question] = []
        self._confidence: dict[str, float] = {}
        self._keys: set[str] = set()
        self._candidates: set[str] = set()

    def mapping(self) -> Mapping:
        roles: dict[str, Any] = {}
        self._claim_segment(roles)
        self._claim_contacts(roles)
        self._claim_date(roles)
        if "person" not in roles:
            self._claim_person(roles)
        self._set_aside_row_numbers()
        shape, metrics, extra = self._metrics(roles)
        roles.update(extra)
        if not metrics and self._looks_like_a_roster(roles):
            shape = "roster"
            roles["date"] = None
        self._ask(roles, shape, metrics)
        used = set(self._used(roles, metrics))
        decimal, question = decimal_sign([p for p in self._columns if p.name in used])
        if question is not None:
            self._questions.append(question)
        return Mapping(
            sheet=self._table.sheet,
            shape=shape,
            metrics=tuple(metrics),
            decimal=decimal,
            ignored=tuple(
                Ignored(column=p.name, why=self._why_ignored(p))
                for p in self._columns
                if p.name not in used
            ),
            questions=tuple(self._questions),
            confidence=self._confidence,
            **roles,
        )

    def _why_ignored(self, profile: Profile) -> str:
        if profile.name in self._candidates:
            return said("Perhaps the person: that is an open question.")
        return why_ignored(profile)

    # -- roles -------------------------------------------------------------------------

    def _claim(self, role: str, profile: Profile, confidence: float) -> str:
        self._confidence[role] = confidence
        del self._free[profile.name]
        return profile.name

    def _first(self, fits: Callable[[Profile], bool]) -> Profile | None:
        return next((profile for profile in self._free.values() if fits(profile)), None)

    def _claim_segment(self, roles: dict[str, Any]) -> None:
        """The column that names groups of customers, where no column names anybody."""
        found = [p for p in self._free.values() if words.SEGMENT.search(p.words)]
        confidence = 0.9
        if not found:
            found = [p for p in self._free.values() if words.BARE_GROUP.search(p.words)]
            confidence = 0.6
        if self._named_people() or self._first(lambda p: p not in found and _may_name(p)):
            return
        found = [p for p in found if not counts_cases(p) and not may_be_date(p)]
        if not found:
            return
        names = [p for p in found if not words.IDENTIFIER.search(p.words)]
        keys = [p for p in found if p not in names] or names
        roles["who"] = "segments"
        roles["person"] = self._claim("person", keys[0], confidence)
        if names and names[0] is not keys[0]:
            roles["name"] = self._claim("name", names[0], 0.9)

    def _claim_contacts(self, roles: dict[str, Any]) -> None:
        if roles.get("who") == "segments":
            roles["attributes"] = self._attributes(SEGMENT_ATTRIBUTES)
            return
        manager = self._first(lambda p: bool(words.MANAGER.search(p.words)) and p.is_email)
        if manager:
            roles["manager"] = self._claim("manager", manager, 0.9)
        email = self._first(lambda p: bool(words.EMAIL.search(p.words)) and p.is_email)
        email = email or self._first(lambda p: p.is_email and not of_others(p))
        if email and not of_others(email):
            roles["email"] = self._claim("email", email, 0.9)
        team = self._first(
            lambda p: bool(words.TEAM.search(p.words)) and not words.MANAGER.search(p.words)
        )
        if team:
            roles["team"] = self._claim("team", team, 0.8)
        roles["attributes"] = self._attributes(words.ATTRIBUTES)

    def _attributes(self, wanted: Iterable[str]) -> dict[str, str]:
        attributes: dict[str, str] = {}
        for attribute in wanted:
            pattern = words.ATTRIBUTES[attribute]
            found = self._first(lambda p, pattern=pattern: bool(pattern.search(p.words)))
            if found and (attribute != "started_on" or found.is_date):
                attributes[attribute] = self._claim(attribute, found, 0.8)
        return attributes

    def _claim_date(self, roles: dict[str, Any]) -> None:
        dates = [p for p in self._free.values() if may_be_date(p)]
        if not dates:
            return
        named = [p for p in dates if words.DATE.search(p.words)] or dates
        chosen = named[0]
        if len(named) > 1:
            self._questions.append(
                Question(
                    about="date",
                    text=said("Which column is the day that counts?"),
                    options=tuple(Option(value=p.name, label=p.name) for p in named),
                )
            )
        for profile in dates:
            if profile is not chosen:
                del self._free[profile.name]
        roles["date"] = self._claim("date", chosen, 0.95 if len(named) == 1 else 0.6)
        roles["day_first"], question = day_order(chosen)
        if question is not None:
            self._questions.append(question)

    def _named_people(self) -> list[Profile]:
        """Columns whose names speak of people: agents, advisors, nurses."""
        return [
            p
            for p in self._free.values()
            if words.PERSON.search(p.words)
            and not words.SEGMENT.search(p.words)
            and not words.MANAGER.search(p.words)
            and not counts_cases(p)
            and (p.is_text or words.IDENTIFIER.search(p.words) or p.distinct >= _FEWEST_PEOPLE)
            and words.first_match(words.METRICS, p.words) is None
        ]

    def _claim_person(self, roles: dict[str, Any]) -> None:
        people = self._named_people()
        identifiers = [p for p in people if words.IDENTIFIER.search(p.words)]
        names = [p for p in people if p not in identifiers]
        names += [
            p
            for p in self._free.values()
            if p not in people
            and words.NAME.search(p.words)
            and not words.NOT_A_PERSON.search(p.words)
            and not words.MANAGER.search(p.words)
            and p.is_text
        ]
        if len(identifiers) == 1 or (identifiers and len(names) == 1):
            roles["person"] = self._claim("person", identifiers[0], 0.95)
            if names:
                roles["name"] = self._claim("name", best_name(names), 0.9)
        elif names and (len(names) == 1 or best_name(names) is not None):
            best = best_name(names)
            lonely = self._lonely_identifier() if words.NAME.search(best.words) else None
            if lonely is not None and not lonely.numbers_the_rows:
                roles["person"] = self._claim("person", lonely, 0.7)
                roles["name"] = self._claim("name", best, 0.9)
            else:
                roles["person"] = self._claim("person", best, 0.95 if len(names) == 1 else 0.7)
        elif "email" in roles:
            roles["person"] = roles["email"]
            self._confidence["person"] = 0.7
        elif not people:
            lonely = self._lonely_identifier()
            if lonely is not None and not lonely.numbers_the_rows:
                roles["person"] = self._claim("person", lonely, 0.6)
        if "person" not in roles:
            self._ask_person(identifiers or people)

    def _lonely_identifier(self) -> Profile | None:
        return self._first(lambda p: p.words in _LONELY)

    def _ask_person(self, candidates: Sequence[Profile]) -> None:
        candidates = candidates or [
            p
            for p in self._free.values()
            if p.distinct >= _FEWEST_PEOPLE
            and not p.numbers_the_rows
            and not p.is_clock
            and not has_fractions(p)
            and words.first_match(words.METRICS, p.words) is None
            and not counts_cases(p)
            and not is_prose(p)
        ]
        self._questions.append(
            Question(
                about="person",
                text=said("Which column says who the row is about?"),
                options=tuple(Option(value=p.name, label=how_many(p)) for p in candidates),
            )
        )
        for profile in candidates:
            self._free.pop(profile.name, None)
        self._candidates = {profile.name for profile in candidates}

    def _set_aside_row_numbers(self) -> None:
        for profile in list(self._free.values()):
            if profile.numbers_the_rows and (profile.is_text or not has_fractions(profile)):
                named = words.first_match(words.METRICS, profile.words)
                if named is None and not counts_cases(profile) and not profile.is_clock:
                    del self._free[profile.name]

    def _looks_like_a_roster(self, roles: dict[str, Any]) -> bool:
        about = [roles.get(role) for role in ("name", "email", "team", "manager")]
        # Numbers that nobody can name may well be metrics; then it is better to ask.
        unknown = any(p.is_numeric and not p.numbers_the_rows for p in self._free.values())
        return not unknown and (any(about) or bool(roles["attributes"]))

    # -- metrics -----------------------------------------------------------------------

    def _metrics(self, roles: dict[str, Any]) -> tuple[str, list[MetricColumns], dict[str, Any]]:
        grain = {"grain": self._grain(roles.get("date"))}
        if found := self._long_form():
            label, metrics = found
            return "aggregated", metrics, {"metric": label, **grain}
        grouped = self._groups()
        counted = self._counted()
        if grouped or counted:
            metrics = grouped + counted
            if all(m.kind == "rate" for m in metrics) and self._repeats(roles):
                return "events", [as_events(m) for m in metrics], {}
            return "aggregated", metrics, grain
        return "events", self._events(), {}

    def _long_form(self) -> tuple[str, list[MetricColumns]] | None:
        label = self._first(lambda p: bool(words.METRIC_LABEL.search(p.words)) and p.is_text)
        if label is None or label.distinct > _MOST_LABELS:
            return None
        statistics = self._statistics().get("", {})
        if "n" not in statistics:
            counts = [p for p in self._free.values() if counts_cases(p)]
            if len(counts) == 1:
                statistics = {**statistics, "n": counts[0]}
        if "n" not in statistics or not ({"sum", "mean"} & statistics.keys()):
            return None
        columns = statistic_columns(statistics)
        value = statistics.get("sum") or statistics["mean"]
        metrics = []
        for cell in label.values:
            text = " ".join(str(cell).split())
            kind, direction = words.first_match(words.METRICS, words.spoken(text)) or (
                "mean",
                "higher",
            )
            metric = self._metric(text, kind, direction, confidence=0.7, bounds=None)
            metrics.append(replace(metric, label=text, **columns))
        for profile in (label, value, *statistics.values()):
            self._free.pop(profile.name, None)
        return label.name, metrics

    def _statistics(self) -> dict[str, dict[str, Profile]]:
        """Metric in words -> statistic -> column, of the numeric columns that name one."""
        groups: dict[str, dict[str, Profile]] = {}
        for profile in self._free.values():
            base, statistic = words.statistic(profile.words)
            if statistic and (profile.is_numeric or profile.is_clock):
                groups.setdefault(base, {}).setdefault(statistic, profile)
        return groups

    def _groups(self) -> list[MetricColumns]:
        """`CSAT n`, `CSAT mean`, `CSAT sd`: groups with their own n."""
        metrics = []
        for base, statistics in self._statistics().items():
            value = statistics.get("sum") or statistics.get("mean")
            if "n" not in statistics:
                continue
            if value is None:
                # `CSAT` beside `CSAT n`: the bare name is the mean.
                value = next((p for p in self._free.values() if p.words == base), None)
                if value is None or not base:
                    continue
                statistics = {**statistics, "mean": value}
            if not base:
                self._questions.append(
                    Question(about="metrics", text=said("Which metric do these numbers belong to?"))
                )
            name = base or "score"
            kind, direction = words.first_match(words.METRICS, name) or ("mean", "higher")
            metric = self._aggregated(
                heading(value, base) if base else "Score",
                value,
                kind,
                direction,
                statistics,
                confidence=0.8 if base else 0.3,
            )
            metrics.append(metric)
            for profile in statistics.values():
                self._free.pop(profile.name, None)
        return metrics

    def _counted(self) -> list[MetricColumns]:
        """`Surveys, CSAT, Calls, AHT`: columns that share the count of cases they rest on."""
        counts = [p for p in self._free.values() if counts_cases(p)]
        exposures = [
            p for p in self._free.values() if words.EXPOSURE.search(p.words) and p.is_numeric
        ]
        if not counts and not exposures:
            return []
        deviations = {
            base: found["sd"] for base, found in self._statistics().items() if "sd" in found
        }
        metrics = []
        for profile in list(self._free.values()):
            if profile in counts or profile in exposures:
                continue
            base, statistic = words.statistic(profile.words)
            named = self._named(profile, base) or (("mean", "higher") if statistic else None)
            if named is None or statistic in ("n", "sd", "sumsq"):
                continue
            if not (profile.is_numeric or profile.is_clock):
                continue
            kind, direction = named
            n = self._count_for(profile, kind, counts, exposures)
            if n is None:
                continue
            statistics = {"n": n, "sum" if statistic == "sum" else "mean": profile}
            if base in deviations:
                statistics["sd"] = deviations[base]
            metrics.append(
                self._aggregated(
                    heading(profile, base), profile, kind, direction, statistics, confidence=0.7
                )
            )
        for metric in metrics:
            for column in metric.columns:
                self._free.pop(column, None)
        return metrics

    def _count_for(
        self, profile: Profile, kind: str, counts: Sequence[Profile], exposures: Sequence[Profile]
    ) -> Profile | None:
        of_surveys = [p for p in counts if words.SURVEYS.search(p.words)]
        others = [p for p in counts if p not in of_surveys]
        if kind == "rate" and not others and exposures:
            return exposures[0]
        preferred = of_surveys + others if kind == "mean" else others + of_surveys
        return preferred[0] if preferred else None

    def _aggregated(
        self,
        heading: str,
        value: Profile,
        kind: str,
        direction: str,
        statistics: dict[str, Profile],
        *,
        confidence: float,
    ) -> MetricColumns:
        columns = statistic_columns(statistics)
        factor = 1.0
        if kind in ("rate", "proportion") and "mean" in columns:
            if not has_fractions(value) and not value.has_percent and largest(value) > 1:
                # Whole numbers beside a count of cases: how many of them.
                small = kind == "rate" or largest(value) <= largest(statistics["n"])
                percent = kind == "proportion" and not small
                if not percent:
                    columns["sum"] = columns.pop("mean")
            elif kind == "rate":
                # Errors per call, given as a share, say whether each call had one.
                kind = "proportion" if largest(value) <= 1 else kind
            if "mean" in columns and kind == "proportion" and largest(value) > 1:
                factor = 0.01
        if kind == "duration":
            factor = self._duration_factor(value)
        bounds = scale_of(value) if kind == "mean" and "mean" in columns else None
        metric = self._metric(heading, kind, direction, confidence=confidence, bounds=bounds)
        if metric.kind == "duration":
            metric = replace(metric, factor=factor, clock=self._clock(value, metric.key))
        elif metric.kind == kind:
            metric = replace(metric, factor=factor)
        return replace(metric, **columns)

    def _events(self) -> list[MetricColumns]:
        metrics = []
        for profile in list(self._free.values()):
            metric = self._event_metric(profile)
            if metric is not None:
                metrics.append(metric)
                del self._free[profile.name]
        return metrics

    def _event_metric(self, profile: Profile) -> MetricColumns | None:
        """The metric in a column with one value a case, or None if it holds none."""
        named = self._named(profile, profile.words)
        kind, direction = named or ("", "higher")
        if words.TIME_OF_DAY.search(profile.words) and slug(profile.name) not in self._known:
            return None
        heading, confidence, bounds, factor = profile.name, 0.9 if named else 0.5, None, 1.0
        if profile.is_yes_no and not (named is None and profile.is_numeric):
            if profile.distinct == 1 and named is None:
                return None
            kind = "proportion" if kind != "rate" or not profile.is_numeric else "rate"
            if kind == "rate" and largest(profile) <= 1:
                kind = "proportion"
        elif profile.is_clock:
            if named is None and not is_short(profile):
                return None
            kind = "duration"
            direction = direction if named and named[0] == "duration" else "lower"
        elif not profile.is_numeric:
            return None
        elif kind == "duration":
            factor = self._duration_factor(profile)
        elif kind == "rate":
            if has_fractions(profile):
                kind = "mean"
        elif kind == "proportion" and largest(profile) > 1:
            kind = "mean"
        elif kind == "mean" or not named:
            bounds = scale_of(profile) if named else five_stars(profile)
            if not named and bounds is None:
                return None
            kind = "mean"
        metric = self._metric(
            heading, kind, direction, confidence=confidence, bounds=bounds, column=profile.name
        )
        if metric.kind == "duration":
            factor = self._duration_factor(profile)
            metric = replace(metric, factor=factor, clock=self._clock(profile, metric.key))
        return metric

    def _named(self, profile: Profile, base: str) -> tuple[str, str] | None:
        known = self._known.get(slug(words.title(profile.name))) or self._known.get(slug(base))
        if known is not None:
            return known.kind, known.direction
        if words.NOT_A_PERSON.search(base) and words.IDENTIFIER.search(base):
            return None
        return words.first_match(words.METRICS, base)

    def _metric(
        self,
        heading: str,
        kind: str,
        direction: str,
        *,
        confidence: float,
        bounds: tuple[float, float] | None,
        column: str | None = None,
    ) -> MetricColumns:
        name = words.title(heading)[:120]
        known = self._known.get(slug(name)) or self._known.get(slug(heading))
        key = known.key if known else slug(name)
        copy = 2
        while key in self._keys:
            key = f"{slug(name)[:55]}-{copy}"
            copy += 1
        self._keys.add(key)
        if known and key == known.key:
            return MetricColumns(
                key=key,
                name=known.name,
                kind=known.kind,
                direction=known.direction,
                unit=known.unit,
                lower=known.lower,
                upper=known.upper,
                column=column,
                confidence=0.95,
            )
        lower, upper = bounds or (None, None)
        return MetricColumns(
            key=key,
            name=name,
            kind=kind,
            direction=direction,
            unit="s" if kind == "duration" else "",
            lower=lower,
            upper=upper,
            column=column,
            confidence=confidence,
        )

    def _duration_factor(self, profile: Profile) -> float:
        unit = words.seconds_per_unit(profile.name)
        if profile.numbers and all(0 <= number < 1 for number in profile.numbers):
            # Nothing is handled in less than a second: these are Excel's parts of a day.
            return _DAY if unit in (None, 1.0) and not profile.is_clock else unit or 1.0
        return unit or 1.0

    def _clock(self, profile: Profile, key: str) -> str:
        """Ask when every time in Excel has no seconds but hours: 4:30 was typed for 4 min 30."""
        seconds = [
            parse_duration(cell)
            for cell in profile.values
            if not isinstance(cell, str | float | int)
        ]
        filled = [second for second in seconds if second]
        if len(filled) < 3 or any(second % 60 for second in filled) or median(filled) < 3600:
            return "h:m:s"
        self._questions.append(
            Question(
                about=f"clock:{key}",
                text=said(
                    "“%(column)s” holds times such as 4:30. What is meant?", column=profile.name
                ),
                options=(
                    Option(value="h:m:s", label=said("hours and minutes")),
                    Option(value="m:s", label=said("minutes and seconds")),
                ),
            )
        )
        return "h:m:s"

    def _grain(self, date: str | None) -> str:
        """`week` when nearly all dates fall on one weekday, else `day`."""
        if date is None:
            return "week"
        profile = next(p for p in self._columns if p.name == date)
        weekdays: dict[int, int] = {}
        for cell in profile.values[:2_000]:
            try:
                day = parse_date(cell, day_first=True)
            except CellError:
                continue
            if day is not None:
                weekdays[day.weekday()] = weekdays.get(day.weekday(), 0) + 1
        total = sum(weekdays.values())
        return "week" if total and max(weekdays.values()) >= 0.9 * total else "day"

    def _repeats(self, roles: dict[str, Any]) -> bool:
        """Whether a person comes several times a day."""
        key = [roles[role] for role in ("person", "date") if roles.get(role)]
        if not roles.get("person"):
            return False
        chunk = next(self._table.chunks(key), None)
        if chunk is None:
            return False
        pairs = list(zip(*chunk.cells, strict=True))
        return len(set(pairs)) < 0.95 * len(pairs)

    # -- questions ---------------------------------------------------------------------

    def _ask(self, roles: dict[str, Any], shape: str, metrics: Sequence[MetricColumns]) -> None:
        if shape == "roster":
            return
        if "date" not in roles:
            self._questions.append(_WHICH_WEEK)
        if not metrics:
            self._questions.append(
                Question(
                    about="metrics",
                    text=said("Which columns are metrics?"),
                    options=tuple(
                        Option(value=p.name, label=p.name)
                        for p in self._free.values()
                        if p.is_numeric or p.is_clock or p.is_yes_no
                    ),
                )
            )
            return
        if shape == "aggregated" and self._repeats(roles) and "metric" not in roles:
            self._questions.append(
                Question(
                    about="shape",
                    text=_SEGMENTS_REPEAT if roles.get("who") == "segments" else _PEOPLE_REPEAT,
                    options=(
                        Option(value="aggregated", label=said("Each row is a total")),
                        Option(value="events", label=said("Each row is one call, survey or case")),
                    ),
                )
            )

    def _used(self, roles: dict[str, Any], metrics: Iterable[MetricColumns]) -> Collection[str]:
        named = [roles.get(r) for r in ("person", "name", "email", "team", "manager", "date")]
        named += [roles.get("metric"), *roles["attributes"].values()]
        named += [column for metric in metrics for column in metric.columns]
        return {column for column in named if column is not None}
