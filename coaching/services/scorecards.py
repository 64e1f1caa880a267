"""What counts, how much and among whom: proposed from the readings, every change logged."""

import math
from datetime import datetime

from django.db import transaction

from coaching.domain.said import Figure, Said, said
from coaching.domain.selection import NARROWEST, WIDEST
from coaching.errors import CoachingError
from coaching.models import Metric, Person, Scorecard, ScorecardMetric, Team
from coaching.queries import people
from coaching.services import audit

# Nobody is ranked against people of another role; without roles everybody is a peer.
DEFAULT_PEERS = ("role",)
LONGEST_NAME = 120
MOST_WEEKS = 104
HEAVIEST = 1000
MOST_EVIDENCE = 1_000_000


class NoReadings(CoachingError):
    message = said(
        "There are no readings for the people of this team yet. Import an export first, then rank."
    )


class NoWeight(CoachingError):
    message = said(
        "Every metric of this scorecard has weight 0. Give at least one of them a weight."
    )


class ScorecardRefused(CoachingError):
    """`field` names what cannot be changed as asked."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


def proposed_name(team: Team, subject: str) -> Said:
    if subject == Scorecard.Subject.TEAMS:
        return said("%(team)s: its teams", team=team.name)
    if subject == Scorecard.Subject.SEGMENTS:
        return said("%(team)s: customer segments", team=team.name)
    return said("%(team)s: all metrics", team=team.name)


@transaction.atomic
def default_scorecard(
    *,
    team: Team,
    by: Person,
    now: datetime,
    subject: str = Scorecard.Subject.PEOPLE,
    name: str = "",
) -> Scorecard:
    """
    A scorecard for a team, proposed from what has been imported: every metric with
    readings, weighed equally, among people of the same role.

    subject : rank the team's people, the teams below it, or its customer segments

    :raises NoReadings, ScorecardRefused:
    """
    name = name.strip() or str(proposed_name(team, subject))[:LONGEST_NAME]
    _check_change({"name": name, "subject": subject}, None)
    _check_subject(team, subject)
    weights, peers_by = _proposal(team, subject)
    scorecard = Scorecard.objects.create(name=name, team=team, subject=subject, peers_by=peers_by)
    _set_weights(scorecard, weights)
    audit.record("scorecard proposed", scorecard, by=by, now=now, team=team)
    return scorecard


def propose_again(
    *, scorecard: Scorecard, by: Person, now: datetime, version: int | None = None
) -> Scorecard:
    """
    Weights and peers as they would be proposed from today's readings; the rest stays.

    :raises NoReadings, ScorecardRefused:
    """
    weights, peers_by = _proposal(scorecard.team, scorecard.subject)
    return change_scorecard(
        scorecard=scorecard, by=by, now=now, weights=weights, peers_by=peers_by, version=version
    )


def _proposal(team: Team, subject: str) -> tuple[dict[Metric, float], list[str]]:
    """:raises NoReadings:"""
    read = people.segments_of(team) if subject == "segments" else people.of_team(team)
    metrics = Metric.objects.filter(readings__person__in=read).distinct().order_by("pk")
    weights = dict.fromkeys(metrics, 1.0)
    if not weights:
        if subject == "segments":
            raise NoReadings(
                said(
                    "%(team)s has no customer segments with readings yet. Import a file with a "
                    "row per segment first, then rank.",
                    team=team.name,
                )
            )
        raise NoReadings
    roles = subject == "people" and read.exclude(role="").exists()
    return weights, list(DEFAULT_PEERS) if roles else []


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
    q: float | None = None,
    minimum_n: float | None = None,
    subject: str | None = None,
    version: int | None = None,
) -> Scorecard:
    """
    Change what is given; `weights` replaces all metrics of the scorecard.

    What differs is logged with its old and new value and raises the version; where nothing
    differs, nothing is logged. Rankings that exist stay as they were.

    version : the one that was on the screen, when there was one

    :raises ScorecardRefused: and nothing is changed
    """
    # Locked until the end, so that two managers' changes do not overwrite each other unseen.
    card = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    if version is not None and version != card.version:
        raise ScorecardRefused(
            "version",
            said(
                "Somebody changed this scorecard while you were looking at it. Here it is as it "
                "stands now; make your change again."
            ),
        )
    asked = {
        "name": None if name is None else name.strip(),
        "subject": subject,
        # In one order, so that the same peers are not a change.
        "peers_by": peers_by if peers_by is None else sorted(peers_by, key=_place),
        "weeks": weeks,
        "minimum_n": minimum_n,
        "policy": policy,
        "q": q,
    }
    asked = {field: value for field, value in asked.items() if value is not None}
    _check_change(asked, weights)
    _check_subject(card.team, asked.get("subject", ""))
    subject_then = asked.get("subject", card.subject)
    if subject_then == Scorecard.Subject.TEAMS and asked.get("peers_by", card.peers_by):
        raise ScorecardRefused(
            "peers_by",
            said(
                "Teams have no role, site, shift or language of their own: choose none of these, "
                "and every team is compared with every other."
            ),
        )
    changes = [
        {"field": field, "old": getattr(card, field), "new": value}
        for field, value in asked.items()
        if value != getattr(card, field)
    ]
    for change in changes:
        setattr(card, change["field"], change["new"])
    if weights is not None:
        changes += _weight_changes(card, weights)
        _set_weights(card, weights)
    if changes:
        card.version += 1
        card.save()
        audit.record(
            "scorecard changed", card, by=by, now=now, team=card.team,
            version=card.version, changes=changes,
        )  # fmt: skip
    scorecard.refresh_from_db()
    return scorecard


def _place(attribute: str) -> int:
    known = Person.ATTRIBUTES
    return known.index(attribute) if attribute in known else len(known)


def _weight_changes(card: Scorecard, weights: dict[Metric, float]) -> list[dict]:
    """One line for each metric whose weight changes; null stands for "not on the scorecard"."""
    old = {row.metric: row.weight for row in card.weights.select_related("metric")}
    return [
        {
            "field": "weight",
            "metric": metric.key,
            "name": metric.name,
            "old": old.get(metric),
            "new": weights.get(metric),
        }
        for metric in sorted({*old, *weights}, key=lambda metric: (metric.name, metric.pk))
        if old.get(metric) != weights.get(metric)
    ]


def _set_weights(card: Scorecard, weights: dict[Metric, float]) -> None:
    card.weights.exclude(metric__in=weights).delete()
    ScorecardMetric.objects.bulk_create(
        [
            ScorecardMetric(scorecard=card, metric=metric, weight=weight)
            for metric, weight in weights.items()
        ],
        update_conflicts=True,
        unique_fields=["scorecard", "metric"],
        update_fields=["weight"],
    )


def _check_change(asked: dict, weights: dict[Metric, float] | None) -> None:
    if "name" in asked and not 0 < len(asked["name"]) <= 120:
        raise ScorecardRefused("name", said("Give the scorecard a name of at most 120 letters."))
    if asked.get("subject", Scorecard.Subject.PEOPLE) not in Scorecard.Subject.values:
        raise ScorecardRefused("subject", _one_of(Scorecard.Subject.values))
    peers_by = asked.get("peers_by", [])
    if not set(peers_by) <= set(Person.ATTRIBUTES) or len(set(peers_by)) < len(peers_by):
        raise ScorecardRefused(
            "peers_by",
            said(
                "Peers can be told apart by %(attributes)s, each once.",
                attributes=", ".join(Person.ATTRIBUTES),
            ),
        )
    if not 1 <= asked.get("weeks", 1) <= MOST_WEEKS:
        raise ScorecardRefused(
            "weeks", said("Rank over 1 to %(most)s weeks of readings.", most=MOST_WEEKS)
        )
    if not 0 <= asked.get("minimum_n", 0) <= MOST_EVIDENCE:
        raise ScorecardRefused(
            "minimum_n",
            said(
                "The minimum evidence must lie from 0 to %(most)s observations.",
                most=Figure(f"{MOST_EVIDENCE:,}"),
            ),
        )
    if asked.get("policy", Scorecard.Policy.EVIDENCE) not in Scorecard.Policy.values:
        raise ScorecardRefused("policy", _one_of(Scorecard.Policy.values))
    if not NARROWEST <= asked.get("q", NARROWEST) <= WIDEST:
        raise ScorecardRefused(
            "q",
            said(
                "A band covers from %(least)s to %(most)s of the peers.",
                least=f"{100 * NARROWEST:.0f} %",
                most=f"{100 * WIDEST:.0f} %",
            ),
        )
    if weights is None:
        return
    for metric, weight in weights.items():
        if not (math.isfinite(weight) and 0 <= weight <= HEAVIEST):
            raise ScorecardRefused(
                "weights",
                said(
                    "The weight of %(metric)s must lie from 0 to %(most)s.",
                    metric=metric.name,
                    most=Figure(f"{HEAVIEST:,}"),
                ),
            )
    if not any(weights.values()):
        raise ScorecardRefused("weights", NoWeight.message)


def _one_of(values: list[str]) -> Said:
    return said("Choose one of %(values)s.", values=", ".join(values))


def _check_subject(team: Team, subject: str) -> None:
    below = Team.objects.filter(path__startswith=team.path).exclude(pk=team.pk)
    if subject == Scorecard.Subject.TEAMS and not below.exists():
        raise ScorecardRefused(
            "subject",
            said(
                "%(team)s has no teams below it to compare. Rank its people instead.",
                team=team.name,
            ),
        )


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
