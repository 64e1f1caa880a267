from django.db.models import QuerySet

from coaching.models import Person, Ranking, Scorecard, Standing, Yardstick
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
