from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from django.db.models import (
    Avg,
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
)
from django.db.models.functions import Cast, Floor, Greatest, Least

from coaching.models import Band, Metric, Person, Ranking, Scorecard, Standing, Yardstick
from coaching.queries import access

# What a group of fewer people would tell about each of them is told to nobody.
SMALLEST_SHOWN = 5
# Chances between which the distance to a border can be read back from them exactly.
FAIR = (0.02, 0.98)


def scorecards_visible_to(person: Person) -> QuerySet[Scorecard]:
    return Scorecard.objects.filter(access.managed(person, "team__path")).select_related("team")


def visible_to(person: Person) -> QuerySet[Ranking]:
    """Rankings of the teams one manages. Staff see none: nobody reads the rank of others."""
    return Ranking.objects.filter(access.managed(person, "scorecard__team__path")).select_related(
        "scorecard__team", "created_by"
    )


def standings_visible_to(person: Person) -> QuerySet[Standing]:
    return Standing.objects.filter(
        access.managed(person, "ranking__scorecard__team__path")
    ).select_related("person__team", "team", "metric")


def yardsticks(ranking: Ranking) -> QuerySet[Yardstick]:
    return ranking.yardsticks.select_related("metric")


def with_latest(scorecards: QuerySet[Scorecard]) -> QuerySet[Scorecard]:
    """Each scorecard with its weights and, as `latest`, a list of its newest ranking or none."""
    return scorecards.prefetch_related(
        "weights__metric",
        Prefetch(
            "rankings",
            queryset=Ranking.objects.order_by("-created_at", "-pk")[:1],
            to_attr="latest",
        ),
    )


@dataclass(frozen=True, slots=True)
class BandCounts:
    """How many people of a ranking are in which band; leaning ones are counted apart."""

    weak: int = 0
    leaning_weak: int = 0
    middle: int = 0
    leaning_strong: int = 0
    strong: int = 0
    cannot_tell: int = 0
    too_small: int = 0
    check: int = 0
    reliability: float | None = None

    @property
    def total(self) -> int:
        return (
            self.weak + self.leaning_weak + self.middle + self.leaning_strong
            + self.strong + self.cannot_tell + self.too_small + self.check
        )  # fmt: skip

    @property
    def unsettled(self) -> int:
        """People about whom the evidence says nothing firm."""
        return self.total - self.weak - self.middle - self.strong


def band_counts(standings: QuerySet[Standing]) -> BandCounts:
    """One query, whatever the number of people."""
    rows = standings.order_by().values("band").annotate(people=Count("pk"))
    found = {row["band"]: row["people"] for row in rows}
    mean = standings.aggregate(mean=Avg("reliability"))["mean"]
    return BandCounts(
        **{band.name.lower(): found.get(band.value, 0) for band in Band}, reliability=mean
    )


def differ_by_chance(frames: list[Yardstick]) -> bool:
    """Whether chance alone explains how people differ, in every peer group."""
    return bool(frames) and all(frame.tau2_plug_in == 0 for frame in frames)


def spread(standings: QuerySet[Standing], *, reach: float) -> tuple[float, float] | None:
    """From the lowest to the highest end of all intervals of `reach` standard errors."""
    ends = standings.aggregate(
        low=Min(F("estimate") - reach * F("se")), high=Max(F("estimate") + reach * F("se"))
    )
    return None if ends["low"] is None else (ends["low"], ends["high"])


def too_small_to_show(ranking: Ranking, metric: Metric | None) -> list[str]:
    """
    The peer groups of fewer than five people with readings of a metric; overall, of fewer than
    five people.
    """
    if metric is not None:
        small = ranking.yardsticks.filter(metric=metric, people__lt=SMALLEST_SHOWN)
        return sorted(small.values_list("group", flat=True))
    sizes = ranking.standings.filter(metric=None).order_by().values("group")
    small = sizes.annotate(people=Count("pk")).filter(people__lt=SMALLEST_SHOWN)
    return sorted(small.values_list("group", flat=True))


def shown(standings: QuerySet[Standing], ranking: Ranking) -> QuerySet[Standing]:
    """A ranking's standings without those of people in groups that are too small to show."""
    if ranking.subject != Scorecard.Subject.PEOPLE:
        return standings
    small = Yardstick.objects.filter(
        ranking=OuterRef("ranking"),
        metric=OuterRef("metric"),
        group=OuterRef("group"),
        people__lt=SMALLEST_SHOWN,
    )
    return standings.exclude(Exists(small)).exclude(
        metric=None, group__in=too_small_to_show(ranking, None)
    )


@dataclass(frozen=True, slots=True)
class GroupMean:
    people: int
    # On the working scale; None where the group is too small to show.
    mean: float | None


def group_means(standings: QuerySet[Standing], field: str) -> dict[object, GroupMean]:
    """Size and mean estimate for each value of `field`; one query."""
    rows = standings.order_by().values(field).annotate(people=Count("pk"), mean=Avg("estimate"))
    return {
        row[field]: GroupMean(
            row["people"], row["mean"] if row["people"] >= SMALLEST_SHOWN else None
        )
        for row in rows
    }


def histogram(
    standings: QuerySet[Standing], *, low: float, high: float, bins: int
) -> dict[tuple[int, str], int]:
    """
    How many estimates of which band lie in which of `bins` equal parts from `low` to `high`.

    Counted by the database: one query and few rows for any number of people.
    """
    place = Cast(Floor((F("estimate") - low) * bins / (high - low)), IntegerField())
    rows = (
        standings.order_by()
        .annotate(bin=Least(Greatest(place, 0), bins - 1))
        .values("bin", "band")
        .annotate(people=Count("pk"))
    )
    return {(row["bin"], row["band"]): row["people"] for row in rows}


@dataclass(frozen=True, slots=True)
class Border:
    """Where a peer group's worst or best part begins, on the working scale."""

    group: str
    value: float


def borders(ranking: Ranking, metric: Metric | None, *, best: bool) -> list[Border]:
    """
    The border of the worst or best part in each peer group; none where everybody is far from it.

    Any standing tells: its chance of being beyond the border is Phi of their distance in
    standard errors, so the border is the estimate plus or minus that quantile.
    """
    chance = "p_high" if best else "p_low"
    every = ranking.standings.filter(metric=metric, se__gt=0)
    one_each = (
        every.filter(**{f"{chance}__range": FAIR})
        .order_by()
        .values("group")
        .annotate(first=Min("pk"))
        .values("first")
    )
    sign = (metric.sign if metric else 1) * (-1 if best else 1)
    return [
        Border(
            standing.group,
            standing.estimate
            + sign * standing.se * NormalDist().inv_cdf(getattr(standing, chance)),
        )
        for standing in Standing.objects.filter(pk__in=one_each).order_by("group")
    ]


def latest_of(reader: Person, subject: Person) -> Ranking | None:
    """The newest ranking the reader may see in which somebody stands."""
    return (
        visible_to(reader)
        .filter(standings__person=subject)
        .order_by("-created_at", "-pk")
        .distinct()
        .first()
    )


def earlier_estimates(
    ranking: Ranking, subject: Person
) -> dict[int, list[tuple[Standing, Yardstick]]]:
    """
    What this ranking and those before it by the same scorecard said of somebody's skills, by
    metric, oldest first; of rankings up to the same week the newest. Groups under five are left
    out.
    """
    rows = list(
        Standing.objects.filter(
            Q(ranking=ranking) | Q(ranking__created_at__lt=ranking.created_at),
            ranking__scorecard=ranking.scorecard_id,
            person=subject,
            raw__isnull=False,
        )
        .exclude(metric=None)
        .select_related("metric", "ranking")
        .order_by("ranking__until", "ranking__created_at", "pk")
    )
    frames = frames_of(rows)
    found: dict[int, dict] = {}
    for row in rows:
        frame = frames.get((row.ranking_id, row.metric_id, row.group))
        if frame is not None and frame.people >= SMALLEST_SHOWN:
            found.setdefault(row.metric_id, {})[row.ranking.until] = (row, frame)
    return {metric: list(by_week.values()) for metric, by_week in found.items()}


def frames_of(standings: Iterable[Standing]) -> dict[tuple[int, int, str], Yardstick]:
    """The yardsticks in which these standings are read, by ranking, metric and group."""
    rows = list(standings)
    frames = Yardstick.objects.filter(
        ranking__in={row.ranking_id for row in rows}, group__in={row.group for row in rows}
    )
    return {(frame.ranking_id, frame.metric_id, frame.group): frame for frame in frames}


@dataclass(frozen=True, slots=True)
class OwnSkill:
    """
    One skill as its owner reads it: on the working scale, without band, rank or chance.

    Among fewer than five peers everything that leans on the peers is None, the estimate too:
    together with the reliability it would tell what the few others' mean is.
    """

    metric: Metric
    raw: float | None
    n: float
    people: int
    estimate: float | None
    se: float | None
    reliability: float | None
    # The noise of one case.
    sigma2: float | None
    # The peers' mean, and the mean of their true best part.
    peers: float | None
    best: float | None


@dataclass(frozen=True, slots=True)
class OwnStandings:
    ranking: Ranking
    skills: list[OwnSkill]


def own_standings(person: Person) -> OwnStandings | None:
    """
    What somebody may know of their own standing: the door for staff, on pages and in the API.

    From the newest ranking, by any team above them, that includes the person.
    """
    if person.team is None:
        return None
    steps = person.team.path.strip("/").split("/")
    above = ["/".join(steps[: n + 1]) + "/" for n in range(len(steps))]
    ranking = (
        Ranking.objects.filter(scorecard__team__path__in=above, standings__person=person)
        .select_related("scorecard__team")
        .order_by("-created_at", "-pk")
        .distinct()
        .first()
    )
    if ranking is None:
        return None
    rows = list(
        Standing.objects.filter(ranking=ranking, person=person)
        .exclude(metric=None)
        .select_related("metric")
        .order_by("metric__name", "pk")
    )
    frames = frames_of(rows)
    skills = []
    for row in rows:
        frame = frames.get((row.ranking_id, row.metric_id, row.group))
        if frame is None:
            continue
        shown = frame.people >= SMALLEST_SHOWN
        skills.append(
            OwnSkill(
                metric=row.metric,
                raw=row.raw,
                n=row.n,
                people=frame.people,
                estimate=row.estimate if shown else None,
                se=row.se if shown else None,
                reliability=row.reliability if shown else None,
                sigma2=frame.sigma2 if shown else None,
                peers=frame.mean if shown else None,
                best=frame.top_quartile if shown else None,
            )
        )
    return OwnStandings(ranking, skills)
