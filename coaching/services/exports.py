"""Figures that leave the product are told to the audit trail."""

from datetime import datetime

from coaching.models import Metric, Person, Ranking
from coaching.services import audit


def ranking_taken(
    *,
    ranking: Ranking,
    metric: Metric | None,
    form: str,
    people: int,
    filters: dict[str, str],
    by: Person,
    now: datetime,
) -> None:
    """Note who takes which standings of a ranking with them; before the first row leaves."""
    audit.record(
        "ranking exported",
        ranking,
        by=by,
        now=now,
        team=ranking.scorecard.team,
        metric=metric.key if metric else "overall",
        form=form,
        people=people,
        filters=filters,
    )


def trail_taken(*, lines: int, filters: dict[str, str], by: Person, now: datetime) -> None:
    """Note who takes which lines of the audit trail with them; before the first row leaves."""
    audit.record(
        "audit trail exported", by, by=by, now=now, team=by.team, lines=lines, filters=filters
    )
