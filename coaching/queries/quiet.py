"""Pairs that have gone quiet: no session for long, while their clock still runs."""

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery

from coaching.domain import progress
from coaching.models import Case, Cohort, Pair, Person, Session
from coaching.queries import access, pairs

# A pair is named so many days before its clock runs out: time enough for somebody to ask.
SOON = 5


@dataclass(frozen=True, slots=True)
class Quiet:
    """`days` without a session, days away left out; `left` until the pair goes to triage."""

    pair: Pair
    days: int
    left: int
    met: bool


def quiet_pairs(reader: Person, *, now: datetime) -> list[Quiet]:
    """
    Active pairs of the teams one manages that have not met for long and plan nothing, those
    whose clock runs out first ahead; a fixed number of queries, and only of quiet pairs.

    Not those that are before somebody already, and not while one of the two is away.
    """
    ahead = Session.objects.filter(
        pair=OuterRef("pk"), state=Session.State.PLANNED, starts_at__gt=now
    )
    held = Session.objects.filter(pair=OuterRef("pk"), held_on__isnull=False)
    rows = (
        pairs.visible_to(reader)
        .filter(access.managed(reader, "learner__team__path"))
        .exclude(Q(learner=reader) | Q(coach=reader))
        .filter(state__in=[Pair.State.ON_TRACK, Pair.State.AT_RISK])
        .filter(~Exists(Case.objects.filter(pair=OuterRef("pk"), decided_at=None)), ~Exists(ahead))
        .annotate(last_session=Subquery(held.order_by("-held_on").values("held_on")[:1]))
        .filter(_long_ago(now.date() + timedelta(days=1)))
        .prefetch_related(None)
        .prefetch_related("learner__leaves", "coach__leaves")
    )
    found = [
        one for pair in rows if (one := _quiet(pair, now.astimezone(pair.learner.zone).date()))
    ]
    return sorted(found, key=lambda one: (one.left, -one.days, one.pair.pk))


def _long_ago(today: date) -> Q:
    """
    Pairs that are quiet if nobody was away; the cohorts that run have few settings of the clocks.

    today : where it is latest
    """
    live = Cohort.objects.filter(state=Cohort.State.LIVE).order_by()
    pairs_of = Q(pk=None)
    for first, following in live.values_list("first_session_days", "next_session_days").distinct():
        met = Q(last_session__gte=F("clocks_from"), last_session__lte=today - _heard(following))
        never = Q(last_session=None) | Q(last_session__lt=F("clocks_from"))
        waits = never & Q(clocks_from__lte=today - _heard(first))
        clocks = Q(cohort__first_session_days=first, cohort__next_session_days=following)
        pairs_of |= clocks & (met | waits)
    return pairs_of


def _heard(allowed: int) -> timedelta:
    """How long without a session is worth a word, where so many days are allowed."""
    return timedelta(days=max(allowed - SOON, math.ceil(allowed / 2)))


def _quiet(pair: Pair, today: date) -> Quiet | None:
    if pairs.somebody_away(pair, today):
        return None
    clocks = pairs.clocks_of(pair.cohort)
    # As the verdict counts it: a session before the clocks started again is not one.
    met = pair.last_session is not None and pair.last_session >= pair.clocks_from
    days = progress.days_between(
        pair.last_session if met else pair.clocks_from, today, away=pairs.away_of(pair)
    )
    allowed = clocks.next_session_days if met else clocks.first_session_days
    if days < _heard(allowed).days:
        return None
    return Quiet(pair, days, max(allowed - days, 0), met)
