from dataclasses import dataclass

from django.db.models import Avg, Count, F, Max, Min, Prefetch, QuerySet

from coaching.models import Band, Person, Ranking, Scorecard, Standing, Yardstick
from coaching.queries import access


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
    ).select_related("person__team", "metric")


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


def latest_of(reader: Person, subject: Person) -> Ranking | None:
    """The newest ranking the reader may see in which somebody stands."""
    return (
        visible_to(reader)
        .filter(standings__person=subject)
        .order_by("-created_at", "-pk")
        .distinct()
        .first()
    )
