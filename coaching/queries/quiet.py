"""Pairs that have gone quiet: no session for long, while their clock still runs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from coaching.domain import progress
from coaching.models import Case, Pair, Person, Session
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
    whose clock runs out first ahead; a fixed number of queries.

    Not those that are before somebody already, and not while one of the two is away.
    """
    ahead = Session.objects.filter(
        pair=OuterRef("pk"), state=Session.State.PLANNED, starts_at__gt=now
    )
    rows = (
        pairs.with_progress(pairs.visible_to(reader))
        .filter(access.managed(reader, "learner__team__path"))
        .exclude(Q(learner=reader) | Q(coach=reader))
        .filter(state__in=[Pair.State.ON_TRACK, Pair.State.AT_RISK])
        .filter(~Exists(Case.objects.filter(pair=OuterRef("pk"), decided_at=None)), ~Exists(ahead))
        # Who met a day ago is quiet by no clock. The rest is counted below, days away left out.
        .filter(Q(last_session=None) | Q(last_session__lt=now.date() - timedelta(days=1)))
        .alias(since=Coalesce(F("last_session"), F("clocks_from")))
        .filter(since__lt=now.date())
        .prefetch_related(None)
        .prefetch_related("learner__leaves", "coach__leaves")
    )
    found = [
        one for pair in rows if (one := _quiet(pair, now.astimezone(pair.learner.zone).date()))
    ]
    return sorted(found, key=lambda one: (one.left, -one.days, one.pair.pk))


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
    left = allowed - days
    if left > SOON or days < allowed / 2:
        return None
    return Quiet(pair, days, max(left, 0), met)
