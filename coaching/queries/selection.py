"""A ranking's people as arrays, from which a cohort is selected and what-ifs are answered."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from django.db.models import OuterRef, QuerySet, Subquery

from coaching.domain import selection
from coaching.domain.ranking import Band as Code
from coaching.models import HandRaise, Member, Pair, Person, Ranking, Standing
from coaching.queries import access

CODES = {code.words: code for code in Code}
WORDS = {int(code): code.words for code in Code}
ATTRIBUTES = ("tenure", "shift", "site", "part-time")


@dataclass(frozen=True, eq=False)
class Field:
    """
    Everybody in a ranking, overall, in the order of their ids: arrays (people,).

    active : who still works here; the others count as peers, but cannot be selected
    q : the band width of p_low, p_high and band
    """

    person: np.ndarray
    score: np.ndarray
    se: np.ndarray
    group: np.ndarray
    band: np.ndarray
    p_low: np.ndarray
    p_high: np.ndarray
    observed: np.ndarray
    active: np.ndarray
    attributes: dict[str, list[str]]
    q: float

    @cached_property
    def eligible(self) -> np.ndarray:
        return self.active & selection.placeable(self.band)

    def at(self, q: float) -> "Field":
        """
        The same people with bands of another width; nothing is stored.

        :raises coaching.domain.ranking.RankingError: for a width out of range
        """
        if q == self.q:
            return self
        found = selection.bands_at(
            q,
            score=self.score,
            se=self.se,
            group=self.group,
            band=self.band,
            yardstick=self.observed & (self.band != Code.CHECK_DATA),
        )
        return replace(self, band=found.band, p_low=found.p_low, p_high=found.p_high, q=q)

    def choose(self, policy: str, *, quota: int | None = None) -> selection.Labels:
        return selection.choose(
            policy,
            p_low=self.p_low,
            p_high=self.p_high,
            eligible=self.eligible,
            q=self.q,
            quota=quota,
        )

    def fairness(self, labelled: np.ndarray) -> dict[str, list[selection.Share]]:
        """Who carries the labels, among those who still work here."""
        here = np.flatnonzero(self.active)
        return selection.fairness(
            labelled[here],
            {name: [values[at] for at in here] for name, values in self.attributes.items()},
        )


def field_of(ranking: Ranking) -> Field:
    """Two queries, whatever the number of people."""
    columns = (
        "person_id", "estimate", "se", "group", "band", "p_low", "p_high", "person__active",
        "person__started_on", "person__shift", "person__site", "person__part_time",
    )  # fmt: skip
    rows = (
        ranking.standings.filter(metric=None, person__isnull=False)
        .order_by("person_id")
        .values_list(*columns)
    )
    (
        person, score, se, group, band, p_low, p_high, active, started, shift, site, part_time,
    ) = zip(*rows, strict=True) if rows else [()] * len(columns)  # fmt: skip
    weighed = ranking.yardsticks.filter(weight__gt=0).values("metric")
    observed = ranking.standings.filter(metric__in=weighed, n__gt=0).order_by()
    on = ranking.created_at.date()
    ids = np.array(person, dtype=np.intp)
    return Field(
        person=ids,
        score=np.array(score, dtype=float),
        se=np.array(se, dtype=float),
        group=np.unique(np.array(group, dtype=str), return_inverse=True)[1].astype(np.intp),
        band=np.array([CODES[word] for word in band], dtype=np.intp),
        p_low=np.array(p_low, dtype=float),
        p_high=np.array(p_high, dtype=float),
        observed=np.isin(ids, list(observed.values_list("person_id", flat=True).distinct())),
        active=np.array(active, dtype=bool),
        attributes=dict(
            zip(
                ATTRIBUTES,
                (
                    [selection.tenure(day, on=on) for day in started],
                    list(shift),
                    list(site),
                    ["part-time" if part else "full-time" for part in part_time],
                ),
                strict=True,
            )
        ),
        q=width_of(ranking),
    )


def width_of(ranking: Ranking) -> float:
    """The part of the peers that this ranking calls its worst or best."""
    return ranking.settings.get("q", 0.25)


def named(ids: set[int]) -> dict[int, Person]:
    """The people behind ids that came out of a ranking the reader may see."""
    return Person.objects.select_related("team").in_bulk(ids)


def swimming_in(ranking: Ranking) -> set[int]:
    """Ids of those in a ranking who learn in a running pair; nobody is taken a second time."""
    ranked = ranking.standings.filter(metric=None).values("person")
    return set(Pair.objects.active().filter(learner__in=ranked).values_list("learner", flat=True))


def hands_in(ranking: Ranking) -> QuerySet[HandRaise]:
    """Raised hands that a cohort from this ranking takes in: of people in it who swim in none."""
    ranked = ranking.standings.filter(metric=None).values("person")
    return (
        HandRaise.objects.filter(lowered_at=None, person__active=True, person__in=ranked)
        .exclude(person__pairs_as_learner__state__in=Pair.ACTIVE)
        .select_related("person__team", "metric")
        .order_by("raised_at", "pk")
    )


def hands_open_to(reader: Person) -> QuerySet[HandRaise]:
    """
    Every raised hand in the teams somebody manages, the longest first, each with `cohort_name` and
    `draft_id` of the draft cohort that has taken it in already.
    """
    drafted = Member.objects.filter(
        person=OuterRef("person"), cohort__state="draft", left_out=False
    ).order_by("-pk")
    return (
        HandRaise.objects.filter(
            access.managed(reader, "person__team__path"), lowered_at=None, person__active=True
        )
        .select_related("person__team", "metric")
        .annotate(
            cohort_name=Subquery(drafted.values("cohort__name")[:1]),
            draft_id=Subquery(drafted.values("cohort__public_id")[:1]),
        )
        .order_by("raised_at", "pk")
    )


def addable(ranking: Ranking, members: QuerySet[Member], text: str) -> QuerySet[Standing]:
    """People of a ranking who are not members, by a part of their name; their overall standing."""
    return (
        ranking.standings.filter(person__name__icontains=text, metric=None, person__active=True)
        .exclude(person__in=members.values("person"))
        .select_related("person__team")
        .order_by("person__name", "pk")
    )
