"""The driver table as people read it: differences in words, and where the dots stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from coaching.domain.drivers import SMALLEST_BAND, SMALLEST_COMPARISON, Split, Verdict
from coaching.models import Metric, Ranking, Scorecard
from coaching.queries.drivers import Comparison, DriverRow
from coaching.web import charts, words

SUBJECTS = {
    Scorecard.Subject.PEOPLE: ("person", "people"),
    Scorecard.Subject.TEAMS: ("team", "teams"),
    Scorecard.Subject.SEGMENTS: ("segment", "segments"),
}
LEVEL = 0.95
# Words, tone and icon.
VERDICTS = {
    Verdict.SEPARATES: ("separates them", "passed", "check"),
    Verdict.PERHAPS: ("may separate them", "at_risk", "question"),
    Verdict.NO_SIGN: ("no sign", "neutral", "minus"),
    Verdict.UNTOLD: ("cannot tell", "open", "question"),
}


@dataclass(frozen=True, slots=True)
class DriverLine:
    """One row of the table; the dot and its interval in percent of the axis."""

    metric: Metric
    verdict: Verdict
    difference: str
    interval_text: str
    chance: str
    spreads: str
    sentence: str
    other_way: bool
    dot: charts.Interval | None

    @property
    def verdict_text(self) -> str:
        return VERDICTS[self.verdict][0]

    @property
    def tone(self) -> str:
        return VERDICTS[self.verdict][1]

    @property
    def icon(self) -> str:
        return VERDICTS[self.verdict][2]


@dataclass(frozen=True, slots=True)
class DriverTable:
    lines: list[DriverLine]
    axis: charts.Axis | None
    summary: str
    compared: str


def table(comparison: Comparison, ranking: Ranking) -> DriverTable:
    axis = _axis(comparison.told)
    noun = SUBJECTS[Scorecard.Subject(ranking.subject)]
    lines = [_line(row, comparison, axis, noun) for row in comparison.rows]
    return DriverTable(lines, axis, _summary(comparison, noun), _compared(comparison, noun))


def difference(metric: Metric, value: float) -> str:
    """
    A difference in a metric's own units, as `DriverRow.in_units` gives it, with its sign.

    >>> difference(Metric(kind="proportion"), 0.082), difference(Metric(kind="duration"), -0.18)
    ('+8.2 % points', '18 % shorter')
    >>> difference(Metric(kind="rate"), -0.021), difference(Metric(kind="mean", unit="stars"), 0.4)
    ('−2.1 in 100', '+0.40 stars')
    """
    return " ".join(_parts(metric, value)).rstrip()


def span(metric: Metric, low: float, high: float) -> str:
    """
    From one difference to another, the unit said once.

    >>> span(Metric(kind="proportion"), -0.01, 0.082), span(Metric(kind="mean"), 0.2, 0.4)
    ('−1.0 to +8.2 % points', '+0.20 to +0.40')
    >>> span(Metric(kind="duration"), -0.2, -0.1), span(Metric(kind="duration"), -0.2, 0.1)
    ('10 to 20 % shorter', '20 % shorter to 10 % longer')
    """
    (first, unit), (last, other) = _parts(metric, low), _parts(metric, high)
    if unit != other:
        return f"{first} {unit} to {last} {other}"
    if metric.kind == Metric.Kind.DURATION and low < 0:
        first, last = last, first
    return f"{first} to {last} {unit}".rstrip()


def _parts(metric: Metric, value: float) -> tuple[str, str]:
    """A difference as a number with its sign, and its unit."""
    if metric.kind == Metric.Kind.DURATION:
        return f"{100 * abs(value):.0f}", "% shorter" if value < 0 else "% longer"
    sign = "−" if value < 0 else "+"
    if metric.kind == Metric.Kind.PROPORTION:
        return f"{sign}{100 * abs(value):.1f}", "% points"
    number, _, unit = metric.show(abs(value)).partition(" ")
    return f"{sign}{number}", unit


def _axis(told: Sequence[DriverRow]) -> charts.Axis | None:
    """From the lowest to the highest end of all intervals, with nothing (0) always on it."""
    if not told:
        return None
    ends = [end for row in told for end in row.driver.interval(LEVEL)]
    # A tie leaves intervals without width; half a spread to each side still is a picture.
    return charts.axis(None, min(*ends, -0.5), max(*ends, 0.5))


def _line(
    row: DriverRow, comparison: Comparison, axis: charts.Axis | None, noun: tuple[str, str]
) -> DriverLine:
    driver, metric = row.driver, row.metric
    if not driver.told or axis is None:
        why = _untold(row, comparison, noun)
        return DriverLine(metric, Verdict.UNTOLD, "", "", "", "", why, False, None)
    low, high = driver.interval(LEVEL)
    # In the metric's units the better end may be the smaller number.
    ends = sorted((row.in_units(low), row.in_units(high)))
    dot = charts.Interval(axis.x(low), axis.x(driver.effect), axis.x(high), axis.x(0.0))
    return DriverLine(
        metric=metric,
        verdict=driver.verdict,
        difference=difference(metric, row.in_units(driver.effect)),
        interval_text=span(metric, *ends),
        chance=chance(driver.p_holm),
        spreads=_spreads(driver.effect),
        sentence=_sentence(row, comparison, noun),
        other_way=driver.effect < 0 and driver.verdict != Verdict.NO_SIGN,
        dot=dot,
    )


def _spreads(effect: float) -> str:
    return f"{effect:+.2f}".replace("-", "−")


def chance(p: float) -> str:
    """
    >>> chance(0.034), chance(0.00002), chance(0.4), chance(0.999)
    ('3.4 %', '< 0.1 %', '40 %', '> 99 %')
    """
    if p < 0.001:
        return "< 0.1 %"
    if p > 0.99:
        return "> 99 %"
    return f"{100 * p:.1f} %" if p < 0.1 else f"{100 * p:.0f} %"


def _sentence(row: DriverRow, comparison: Comparison, noun: tuple[str, str]) -> str:
    """What the row says, with the numbers it is made of."""
    driver, metric = row.driver, row.metric
    many = len(comparison.told)
    looked_at = f" (corrected for {words.count(many, 'skill')})" if many > 1 else ""
    side = "third" if driver.split == Split.THIRDS else "band"
    likely = chance(driver.p_holm).replace("< ", "below ").replace("> ", "above ")
    return (
        f"The {words.count(driver.top, *noun)} of the top {side} stand at "
        f"{metric.read(row.level(driver.top_mean))} and the {words.count(driver.bottom, *noun)} of "
        f"the bottom {side} at {metric.read(row.level(driver.bottom_mean))}: "
        f"{difference(metric, row.in_units(driver.effect))}, or {_spreads(driver.effect)} spreads, "
        "a difference that chance alone would make as large with a probability of "
        f"{likely}{looked_at}. {_decider(row, comparison)}"
    )


def _decider(row: DriverRow, comparison: Comparison) -> str:
    if comparison.outcome is not None:
        return f"{comparison.outcome.name} decides who is at the top."
    if row.driver.without_itself:
        return (
            f"The overall score without {row.metric.name} decides who is at the top, so that the "
            "skill does not explain itself."
        )
    return f"The overall score decides who is at the top; {row.metric.name} has no weight in it."


def _untold(row: DriverRow, comparison: Comparison, noun: tuple[str, str]) -> str:
    if row.driver.split == Split.ALONE:
        return (
            f"Nothing but {row.metric.name} has a weight in the overall score, so nothing else "
            "says who is at the top. Choose a skill to judge by, or add skills to the scorecard."
        )
    if row.driver.split == Split.NO_SPREAD:
        return f"The {noun[1]} do not differ in what decides, so there is no top and no bottom."
    eight = words.SMALL[SMALLEST_COMPARISON]
    return (
        f"Too few to tell: fewer than {eight} {noun[1]}, in peer groups of at least {eight}, have "
        f"readings of {row.metric.name} and of what decides."
    )


def _summary(comparison: Comparison, noun: tuple[str, str]) -> str:
    """The answer in a sentence."""
    told = comparison.told
    if not told:
        return f"Too little to tell what sets the best {noun[1]} apart."
    sure = [row.metric.name for row in told if row.driver.verdict == Verdict.SEPARATES]
    perhaps = [row.metric.name for row in told if row.driver.verdict == Verdict.PERHAPS]
    if sure:
        verb = "separates" if len(sure) == 1 else "separate"
        told_perhaps = f" {_listed(perhaps)} may." if perhaps else ""
        return f"{_listed(sure)} {verb} the top from the bottom.{told_perhaps}"
    if perhaps:
        return (
            f"Nothing separates the top from the bottom for certain; {_listed(perhaps)} may. "
            f"More weeks or more {noun[1]} would tell."
        )
    return (
        f"No sign that any of these skills separates the top from the bottom. With "
        f"{words.count(comparison.subjects, *noun)} only large differences can be seen."
    )


def _compared(comparison: Comparison, noun: tuple[str, str]) -> str:
    """Who stands against whom, where that is the same or nearly so in every row."""
    splits = {row.driver.split for row in comparison.told}
    if not splits:
        return ""
    five = words.SMALL[SMALLEST_BAND]
    judged = comparison.outcome.name if comparison.outcome else "the overall score"
    thirds = f"the upper and the lower third by {judged} are compared"
    if splits == {Split.THIRDS}:
        return f"Fewer than {five} {noun[1]} are strong, or weak, beyond doubt, so {thirds}."
    bands = f"the strong are compared with the weak by {judged}"
    if splits == {Split.BANDS}:
        return words.capital(f"{bands}; the middle is left out.")
    return words.capital(
        f"{bands}; where fewer than {five} {noun[1]} are either, {thirds} instead."
    )


def _listed(names: Sequence[str]) -> str:
    """
    >>> _listed(["Resolution"]), _listed(["Resolution", "Hold time", "Quality"])
    ('Resolution', 'Resolution, Hold time and Quality')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
