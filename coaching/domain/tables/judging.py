"""Small judgements about one column, from its name and from what it holds."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from coaching.domain.said import Figure, said
from coaching.domain.tables import words
from coaching.domain.tables.cells import Cell, accepted, parse_duration
from coaching.domain.tables.mapping import MetricColumns, Option, Question
from coaching.domain.tables.profile import MOST_VALUES, Profile


def of_others(profile: Profile) -> bool:
    pattern = words.MANAGER.search(profile.words) or words.NOT_A_PERSON.search(profile.words)
    return pattern is not None


def may_be_date(profile: Profile) -> bool:
    if not profile.is_date:
        return False
    # Plain numbers pass for Excel's day numbers; only the name can tell.
    return bool(words.DATE.search(profile.words)) if profile.is_numeric else True


def best_name(names: Sequence[Profile]) -> Profile | None:
    if len(names) == 1:
        return names[0]
    exact = [p for p in names if words.NAME.search(p.words) and words.PERSON.search(p.words)]
    exact = exact or [p for p in names if p.words in ("name", "full name")]
    return exact[0] if len(exact) == 1 else None


def counts_cases(profile: Profile) -> bool:
    """A column that counts cases: named so, whole numbers, not only 0 and 1."""
    if not words.COUNT.search(profile.words) or not profile.is_numeric:
        return False
    return not has_fractions(profile) and largest(profile) >= 2 and min(profile.numbers) >= 0


def largest(profile: Profile) -> float:
    return max(profile.numbers, default=0.0)


def has_fractions(profile: Profile) -> bool:
    return any(not number.is_integer() for number in profile.numbers)


def five_stars(profile: Profile) -> tuple[float, float] | None:
    """A column that nobody named: only the full scale from 1 to 5 is taken for ratings."""
    whole = set(profile.numbers) == {1.0, 2.0, 3.0, 4.0, 5.0} and profile.distinct == 5
    return (1.0, 5.0) if whole else None


def scale_of(profile: Profile) -> tuple[float, float] | None:
    """The smallest usual scale that holds all ratings."""
    if not profile.numbers:
        return None
    least, most = min(profile.numbers), largest(profile)
    if profile.has_percent:
        return (0.0, 1.0) if least >= 0 and most <= 1 else None
    if most <= 1:
        return None
    for lower, upper in ((1, 5), (0, 5), (1, 10), (0, 10), (0, 100)):
        if lower <= least and most <= upper:
            return float(lower), float(upper)
    return None


def is_short(profile: Profile) -> bool:
    """Whether clock times are rather durations than times of day: most under two hours."""
    seconds = [parse_duration(cell) or 0.0 for cell in profile.values[:2_000] if is_time(cell)]
    return bool(seconds) and median(seconds) < 7200


def is_time(cell: Cell) -> bool:
    return bool(accepted(parse_duration, [cell]))


def is_prose(profile: Profile) -> bool:
    texts = [cell for cell in profile.values[:500] if isinstance(cell, str)]
    return bool(texts) and median(map(len, texts)) > 40


def statistic_columns(statistics: dict[str, Profile]) -> dict[str, str]:
    columns = {name: profile.name for name, profile in statistics.items()}
    if "sum" in columns and "mean" in columns:
        del columns["mean"]
    return columns


def as_events(metric: MetricColumns) -> MetricColumns:
    """The metric read from single cases: its value column, and for a rate its exposure."""
    return replace(
        metric,
        column=metric.sum or metric.mean,
        exposure=metric.n if metric.kind == "rate" else None,
        n=None,
        sum=None,
        mean=None,
        sd=None,
        sumsq=None,
    )


def heading(profile: Profile, base: str) -> str:
    """The metric's name: the header without the word for the statistic."""
    if profile.words == base:
        return profile.name
    kept = set(base.split())
    parts = [part for part in words.title(profile.name).split() if words.spoken(part) in kept]
    return " ".join(parts) or profile.name


def how_many(profile: Profile) -> str:
    """A column as the answer to a question."""
    if profile.many:
        most = Figure(f"{MOST_VALUES:,}")
        return said(
            "%(column)s: more than %(most)s different values", column=profile.name, most=most
        )
    number = Figure(f"{profile.distinct:,}")
    return said("%(column)s: %(number)s different values", column=profile.name, number=number)


def why_ignored(profile: Profile) -> str:
    if profile.is_empty:
        return said("The column is empty.")
    if profile.numbers_the_rows and not has_fractions(profile):
        return said("Another value in every row: it numbers the rows.")
    if words.TIME_OF_DAY.search(profile.words) and profile.is_clock:
        return said("The time of day; readings are kept by week.")
    if profile.is_date:
        return said("A further date; readings are kept by one of them.")
    if words.MANAGER.search(profile.words):
        return said("Managers are recognised by their e-mail address.")
    if words.NOT_A_PERSON.search(profile.words):
        return said("Speaks of the case, not of the person.")
    if profile.is_numeric or profile.is_clock or profile.is_yes_no:
        return said("Numbers without a known meaning. Choose the column if it is a metric.")
    if is_prose(profile):
        return said("Free text.")
    return said("Text that is neither about the person nor a metric.")


def day_order(profile: Profile) -> tuple[bool | None, Question | None]:
    found = profile.day_first
    if found <= {"day", "?"} and "day" in found:
        return True, None
    if found <= {"month", "?"} and "month" in found:
        return False, None
    if not found:
        return None, None
    example = next(str(cell) for cell in profile.values if isinstance(cell, str))
    text = (
        said(
            "“%(column)s” holds dates such as %(example)s. What stands first? "
            "Some dates fit only one way, some only the other.",
            column=profile.name,
            example=example,
        )
        if len(found) > 1
        else said(
            "“%(column)s” holds dates such as %(example)s. What stands first?",
            column=profile.name,
            example=example,
        )
    )
    return None, Question(
        about="dates",
        text=text,
        options=(
            Option(value="true", label=said("the day")),
            Option(value="false", label=said("the month")),
        ),
    )


def decimal_sign(profiles_used: Iterable[Profile]) -> tuple[str | None, Question | None]:
    found: set[str] = set()
    example = ""
    for profile in profiles_used:
        if profile.is_numeric or profile.is_clock:
            found |= profile.decimal
            if "?" in profile.decimal and not example:
                example = next(
                    str(cell) for cell in profile.values
                    if isinstance(cell, str) and "," in cell
                )  # fmt: skip
    signs = found & {",", "."}
    sign = signs.pop() if len(signs) == 1 else None
    if "?" in found and sign is None:
        return None, Question(
            about="decimal",
            text=said(
                "There are numbers such as %(example)s. What does the comma mean?", example=example
            ),
            options=(
                Option(value=",", label=said("it stands before the decimals")),
                Option(value=".", label=said("it parts the thousands")),
            ),
        )
    return sign, None
