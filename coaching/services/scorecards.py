"""What a scorecard counts: proposed from the readings, changed with every change logged."""

from datetime import datetime

from django.db import transaction

from coaching.errors import CoachingError
from coaching.models import Metric, Person, Scorecard, ScorecardMetric, Team
from coaching.queries import people
from coaching.services import audit

# Nobody is ranked against people of another role; without roles everybody is a peer.
DEFAULT_PEERS = ("role",)


class NoReadings(CoachingError):
    message = (
        "There are no readings for the people of this team yet. Import an export first, then rank."
    )


class NoWeight(CoachingError):
    message = "Every metric of this scorecard has weight 0. Give at least one of them a weight."


@transaction.atomic
def default_scorecard(*, team: Team, by: Person, now: datetime) -> Scorecard:
    """
    The team's first scorecard, proposed from what has been imported: every metric with
    readings, weighed equally, among people of the same role.

    :raises NoReadings:
    """
    metrics = list(Metric.objects.filter(readings__person__in=people.of_team(team)).distinct())
    if not metrics:
        raise NoReadings
    roles = people.of_team(team).exclude(role="").exists()
    scorecard = Scorecard.objects.create(
        name=f"{team.name}: all metrics", team=team, peers_by=list(DEFAULT_PEERS) if roles else []
    )
    ScorecardMetric.objects.bulk_create(
        ScorecardMetric(scorecard=scorecard, metric=metric) for metric in metrics
    )
    audit.record("scorecard proposed", scorecard, by=by, now=now, team=team)
    return scorecard


class ScorecardRefused(CoachingError):
    """`field` names what cannot be changed as asked."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


MOST_WEEKS = 104
HEAVIEST = 1000


@transaction.atomic
def change_scorecard(
    *,
    scorecard: Scorecard,
    by: Person,
    now: datetime,
    name: str | None = None,
    weights: dict[Metric, float] | None = None,
    peers_by: list[str] | None = None,
    weeks: int | None = None,
    policy: str | None = None,
) -> Scorecard:
    """
    Change what is given; `weights` replaces all metrics of the scorecard.

    Rankings that exist stay as they were.

    :raises ScorecardRefused:
    """
    changed = {
        field: value
        for field, value in (
            ("name", None if name is None else name.strip()),
            ("peers_by", peers_by),
            ("weeks", weeks),
            ("policy", policy),
        )
        if value is not None
    }
    _check_change(changed, weights)
    for field, value in changed.items():
        setattr(scorecard, field, value)
    scorecard.version += 1
    scorecard.save(update_fields=[*changed, "version"])
    if weights is not None:
        scorecard.weights.exclude(metric__in=weights).delete()
        for metric, weight in weights.items():
            ScorecardMetric.objects.update_or_create(
                scorecard=scorecard, metric=metric, defaults={"weight": weight}
            )
    told = {**changed, "weights": {metric.key: weight for metric, weight in weights.items()}} if (
        weights is not None
    ) else changed  # fmt: skip
    audit.record("scorecard changed", scorecard, by=by, now=now, team=scorecard.team, **told)
    return scorecard


def _check_change(changed: dict, weights: dict[Metric, float] | None) -> None:
    if "name" in changed and not 0 < len(changed["name"]) <= 120:
        raise ScorecardRefused("name", "Give the scorecard a name of at most 120 letters.")
    peers_by = changed.get("peers_by", [])
    if not set(peers_by) <= set(Person.ATTRIBUTES) or len(set(peers_by)) < len(peers_by):
        raise ScorecardRefused(
            "peers_by",
            f"Peers can be told apart by {', '.join(Person.ATTRIBUTES)}, each once.",
        )
    if not 1 <= changed.get("weeks", 1) <= MOST_WEEKS:
        raise ScorecardRefused("weeks", f"Rank over 1 to {MOST_WEEKS} weeks of readings.")
    if changed.get("policy", Scorecard.Policy.EVIDENCE) not in Scorecard.Policy.values:
        raise ScorecardRefused("policy", f"Choose one of {', '.join(Scorecard.Policy.values)}.")
    if weights is None:
        return
    for metric, weight in weights.items():
        if not 0 <= weight <= HEAVIEST:
            raise ScorecardRefused(
                "weights", f"The weight of {metric.name} must lie from 0 to {HEAVIEST:,}."
            )
    if not any(weights.values()):
        raise ScorecardRefused("weights", NoWeight.message)


def settings_of(scorecard: Scorecard) -> dict:
    """A scorecard as plain values, for a ranking to keep."""
    return {
        "version": scorecard.version,
        "weights": {
            row.metric.key: row.weight for row in scorecard.weights.select_related("metric")
        },
        "peers_by": scorecard.peers_by,
        "weeks": scorecard.weeks,
        "policy": scorecard.policy,
        "q": scorecard.q,
        "minimum_n": scorecard.minimum_n,
    }
