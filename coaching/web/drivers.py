"""The driver table as people read it: differences in words, and where the dots stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from coaching.domain.drivers import SMALLEST_BAND, SMALLEST_COMPARISON, Split, Verdict
from coaching.models import Metric, Ranking
from coaching.queries.drivers import Comparison, DriverRow
from coaching.web import charts, words

LEVEL = 0.95
# Words, tone and icon.
VERDICTS = {
    Verdict.SEPARATES: (_("separates them"), "passed", "check"),
    Verdict.PERHAPS: (_("may separate them"), "at_risk", "question"),
    Verdict.NO_SIGN: (_("no sign"), "neutral", "minus"),
    Verdict.UNTOLD: (_("cannot tell"), "open", "question"),
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
        return str(VERDICTS[self.verdict][0])

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
    nouns = words.nouns(ranking.subject)
    lines = [_line(row, comparison, axis, nouns) for row in comparison.rows]
    return DriverTable(lines, axis, _summary(comparison, nouns), _compared(comparison, nouns))


def difference(metric: Metric, value: float) -> str:
    """
    A difference in a metric's own units, as `DriverRow.in_units` gives it, with its sign.

    >>> difference(Metric(kind="proportion"), 0.082), difference(Metric(kind="duration"), -0.18)
    ('+8.2 % points', '18 % shorter')
    >>> difference(Metric(kind="rate"), -0.021), difference(Metric(kind="mean", unit="stars"), 0.4)
    ('−2.1 in 100', '+0.40 stars')
    """
    return _with_unit(metric, *_parts(metric, value))


def span(metric: Metric, low: float, high: float) -> str:
    """
    From one difference to another, the unit said once.

    >>> span(Metric(kind="proportion"), -0.01, 0.082), span(Metric(kind="mean"), 0.2, 0.4)
    ('−1.0 to +8.2 % points', '+0.20 to +0.40')
    >>> span(Metric(kind="duration"), -0.2, -0.1), span(Metric(kind="duration"), -0.2, 0.1)
    ('10 to 20 % shorter', '20 % shorter to 10 % longer')
    """
    (first, shorter), (last, other) = _parts(metric, low), _parts(metric, high)
    if shorter != other:
        first, last = _with_unit(metric, first, shorter), _with_unit(metric, last, other)
    elif shorter:
        first, last = last, _with_unit(metric, first, shorter)
    else:
        last = _with_unit(metric, last, other)
    return gettext("%(low)s to %(high)s") % {"low": first, "high": last}


def _parts(metric: Metric, value: float) -> tuple[str, bool]:
    """A difference as a number with its sign, and whether it makes a duration shorter."""
    if metric.kind == Metric.Kind.DURATION:
        return f"{100 * abs(value):.0f}", value < 0
    sign = "−" if value < 0 else "+"
    if metric.kind == Metric.Kind.PROPORTION:
        return words.local(f"{sign}{100 * abs(value):.1f}"), False
    return sign + metric.show(abs(value)).partition(" ")[0], False


def _with_unit(metric: Metric, number: str, shorter: bool) -> str:
    if metric.kind == Metric.Kind.DURATION:
        told = gettext("%(percent)s shorter") if shorter else gettext("%(percent)s longer")
        return told % {"percent": f"{number} %"}
    if metric.kind == Metric.Kind.PROPORTION:
        return gettext("%(percent)s points") % {"percent": f"{number} %"}
    return f"{number} {metric.show(0).partition(' ')[2]}".rstrip()


def _axis(told: Sequence[DriverRow]) -> charts.Axis | None:
    """From the lowest to the highest end of all intervals, with nothing (0) always on it."""
    if not told:
        return None
    ends = [end for row in told for end in row.driver.interval(LEVEL)]
    # A tie leaves intervals without width; half a spread to each side still is a picture.
    return charts.axis(None, min(*ends, -0.5), max(*ends, 0.5))


def _line(
    row: DriverRow, comparison: Comparison, axis: charts.Axis | None, nouns: words.Nouns
) -> DriverLine:
    driver, metric = row.driver, row.metric
    if not driver.told or axis is None:
        why = _untold(row, nouns)
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
        sentence=_sentence(row, comparison, nouns),
        other_way=driver.effect < 0 and driver.verdict != Verdict.NO_SIGN,
        dot=dot,
    )


def _spreads(effect: float) -> str:
    return words.local(f"{effect:+.2f}".replace("-", "−"))


def chance(p: float) -> str:
    """
    >>> chance(0.034), chance(0.00002), chance(0.4), chance(0.999)
    ('3.4 %', '< 0.1 %', '40 %', '> 99 %')
    """
    if p < 0.001:
        return words.local("< 0.1 %")
    if p > 0.99:
        return "> 99 %"
    return words.local(f"{100 * p:.1f} %") if p < 0.1 else f"{100 * p:.0f} %"


def _sentence(row: DriverRow, comparison: Comparison, nouns: words.Nouns) -> str:
    """What the row says, with the numbers it is made of."""
    driver, metric = row.driver, row.metric
    if driver.split == Split.THIRDS:
        sentence = gettext(
            "The %(top)s of the top third stand at %(top_mean)s and the %(bottom)s of the bottom "
            "third at %(bottom_mean)s: %(difference)s, or %(spreads)s spreads, a difference that "
            "chance alone would make as large with a probability of %(likely)s."
        )
    else:
        sentence = gettext(
            "The %(top)s of the top band stand at %(top_mean)s and the %(bottom)s of the bottom "
            "band at %(bottom_mean)s: %(difference)s, or %(spreads)s spreads, a difference that "
            "chance alone would make as large with a probability of %(likely)s."
        )
    sentence %= {
        "top": words.count(driver.top, *nouns),
        "top_mean": metric.read(row.level(driver.top_mean)),
        "bottom": words.count(driver.bottom, *nouns),
        "bottom_mean": metric.read(row.level(driver.bottom_mean)),
        "difference": difference(metric, row.in_units(driver.effect)),
        "spreads": _spreads(driver.effect),
        "likely": _likely(driver.p_holm, len(comparison.told)),
    }
    return f"{sentence} {_decider(row, comparison)}"


def _likely(p: float, skills: int) -> str:
    """
    A chance inside a sentence.

    >>> _likely(0.034, 1), _likely(0.00002, 3)
    ('3.4 %', 'below 0.1 % (corrected for three skills)')
    """
    told = chance(p)
    if told.startswith("< "):
        told = gettext("below %(percent)s") % {"percent": told[2:]}
    elif told.startswith("> "):
        told = gettext("above %(percent)s") % {"percent": told[2:]}
    if skills < 2:
        return told
    return gettext("%(chance)s (corrected for %(skills)s)") % {
        "chance": told,
        "skills": words.counted(skills, gettext("skill,skills")),
    }


def _decider(row: DriverRow, comparison: Comparison) -> str:
    if comparison.outcome is not None:
        return gettext("%(skill)s decides who is at the top.") % {"skill": comparison.outcome.name}
    if row.driver.without_itself:
        sentence = gettext(
            "The overall score without %(skill)s decides who is at the top, so that the skill "
            "does not explain itself."
        )
    else:
        sentence = gettext(
            "The overall score decides who is at the top; %(skill)s has no weight in it."
        )
    return sentence % {"skill": row.metric.name}


def _untold(row: DriverRow, nouns: words.Nouns) -> str:
    if row.driver.split == Split.ALONE:
        return gettext(
            "Nothing but %(skill)s has a weight in the overall score, so nothing else says who is "
            "at the top. Choose a skill to judge by, or add skills to the scorecard."
        ) % {"skill": row.metric.name}
    if row.driver.split == Split.NO_SPREAD:
        return gettext(
            "The %(people)s do not differ in what decides, so there is no top and no bottom."
        ) % {"people": nouns[1]}
    return gettext(
        "Too few to tell: fewer than %(number)s %(people)s, in peer groups of at least %(number)s, "
        "have readings of %(skill)s and of what decides."
    ) % {
        "number": words.spelled(SMALLEST_COMPARISON),
        "people": nouns[1],
        "skill": row.metric.name,
    }


def _summary(comparison: Comparison, nouns: words.Nouns) -> str:
    """The answer in a sentence."""
    told = comparison.told
    if not told:
        return gettext("Too little to tell what sets the best %(people)s apart.") % {
            "people": nouns[1]
        }
    sure = [row.metric.name for row in told if row.driver.verdict == Verdict.SEPARATES]
    perhaps = [row.metric.name for row in told if row.driver.verdict == Verdict.PERHAPS]
    if sure:
        sentence = ngettext(
            "%(skills)s separates the top from the bottom.",
            "%(skills)s separate the top from the bottom.",
            len(sure),
        ) % {"skills": _listed(sure)}
        if perhaps:
            sentence += " " + gettext("%(skills)s may.") % {"skills": _listed(perhaps)}
        return sentence
    if perhaps:
        return gettext(
            "Nothing separates the top from the bottom for certain; %(skills)s may. More weeks or "
            "more %(people)s would tell."
        ) % {"skills": _listed(perhaps), "people": nouns[1]}
    return gettext(
        "No sign that any of these skills separates the top from the bottom. With %(people)s only "
        "large differences can be seen."
    ) % {"people": words.count(comparison.subjects, *nouns)}


def _compared(comparison: Comparison, nouns: words.Nouns) -> str:
    """Who stands against whom, where that is the same or nearly so in every row."""
    splits = {row.driver.split for row in comparison.told}
    if not splits:
        return ""
    few = {"number": words.spelled(SMALLEST_BAND), "people": nouns[1]}
    judged = comparison.outcome.name if comparison.outcome else gettext("the overall score")
    if splits == {Split.THIRDS}:
        return gettext(
            "Fewer than %(number)s %(people)s are strong, or weak, beyond doubt, so the upper and "
            "the lower third by %(judged)s are compared."
        ) % {**few, "judged": judged}
    if splits == {Split.BANDS}:
        return gettext(
            "The strong are compared with the weak by %(judged)s; the middle is left out."
        ) % {"judged": judged}
    return gettext(
        "The strong are compared with the weak by %(judged)s; where fewer than %(number)s "
        "%(people)s are either, the upper and the lower third by %(judged)s are compared instead."
    ) % {**few, "judged": judged}


def _listed(names: Sequence[str]) -> str:
    """
    >>> _listed(["Resolution"]), _listed(["Resolution", "Hold time", "Quality"])
    ('Resolution', 'Resolution, Hold time and Quality')
    """
    if len(names) == 1:
        return names[0]
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
