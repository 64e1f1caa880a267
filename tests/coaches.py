"""Coaches with numbers of their own, among colleagues whom nobody coaches."""

from datetime import timedelta

from coaching.models import Pair, Person, Standing, Yardstick
from tests import factories

WEEK = timedelta(weeks=1)


def rank_coach(pair: Pair) -> list[Person]:
    """
    The coach stood at 4.0 (±0.05) before the launch, among eight uncoached colleagues at 3.5.

    Returns the colleagues, who have readings in the weeks of the ranking.
    """
    ranking, metric, team = pair.cohort.ranking, pair.metric, pair.coach.team
    colleagues = [factories.make_person(f"Peer {n}", team=team) for n in range(8)]
    Yardstick.objects.create(
        ranking=ranking, metric=metric, weight=1, group="", people=10, mean=3.5, tau2=0.09,
        tau2_plug_in=0.09, sigma2=0.9, scale=0.4, top_quartile=3.9, low_cut=3.2,
    )  # fmt: skip
    for person, estimate in [(pair.coach, 4.0), *((peer, 3.5) for peer in colleagues)]:
        Standing.objects.create(
            ranking=ranking, person=person, metric=metric, group="", n=400, raw=estimate,
            estimate=estimate, se=0.05, reliability=0.9, z=0, p_low=0.1, p_high=0.1, p_need=0.4,
            p_skill=0.4, rank_low=0.2, rank_high=0.8, band="middle",
        )  # fmt: skip
    for peer in colleagues:
        for week in range(14):
            factories.add_reading(peer, metric, ranking.since + week * WEEK, mean=3.5, n=50)
    return colleagues


def weeks(pair: Pair, *means: float, people: list[Person] | None = None) -> None:
    """What the coach (or these people) did in the weeks since the launch."""
    for person in people or [pair.coach]:
        for number, mean in enumerate(means):
            week = pair.counts_from + number * WEEK
            factories.add_reading(person, pair.metric, week, mean=mean, n=60)
