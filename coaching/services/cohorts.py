"""The cohort's life: selected, planned, launched once, closed when everybody has passed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from coaching.domain.said import said
from coaching.domain.selection import NARROWEST, WIDEST
from coaching.errors import CoachingError
from coaching.models import (
    Cohort,
    Member,
    Pair,
    Person,
    Ranking,
    Scorecard,
    Waiting,
)
from coaching.notifications import messages, outbox
from coaching.queries import people, selection
from coaching.services import audit, membership, plans

CORE = timedelta(weeks=4)
# Two looks more than the core: the third look at the target may come with the test.
DEFAULT_LENGTH = timedelta(weeks=8)
FURTHEST_TEST = timedelta(weeks=104)
MOST_SEATS = 100_000


class NoName(CoachingError):
    message = said("Give the cohort a name, for example “Autumn”.")


class TooSoon(CoachingError):
    message = said(
        "The test date must lie at least four weeks ahead: that is the core of the coaching."
    )


class TooFar(CoachingError):
    message = said("The test can lie at most two years ahead; eight weeks are usual.")


class OnlyPeople(CoachingError):
    message = said(
        "Only people are coached. This ranking is of teams or customer segments; its drivers say "
        "what separates the best of them. Rank the people to plan a cohort."
    )


class PolicyRefused(CoachingError):
    """`field` names what cannot be selected by."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@transaction.atomic
def create(
    *,
    ranking: Ranking,
    name: str,
    test_date: date,
    target_form: str,
    by: Person,
    now: datetime,
    policy: str | None = None,
    q: float | None = None,
    quota: int | None = None,
) -> Cohort:
    """
    A draft cohort with the learners and coaches that the ranking and raised hands give.

    policy : how sure one must be; the scorecard's when not given
    q : the part of the peers that counts as worst or best; the ranking's when not given
    quota : so many from each end instead of the share q, for the policy quota

    :raises NoName, TooSoon, TooFar, OnlyPeople, PolicyRefused:
    """
    check_dates(name, test_date, now=now)
    if ranking.subject != Scorecard.Subject.PEOPLE:
        raise OnlyPeople
    policy = policy or ranking.scorecard.policy
    q = selection.width_of(ranking) if q is None else q
    _check_policy(policy, q, quota)
    cohort = Cohort.objects.create(
        name=name.strip(),
        team=ranking.scorecard.team,
        ranking=ranking,
        target_form=target_form,
        test_date=test_date,
        policy=policy,
        q=q,
        quota=quota if policy == Scorecard.Policy.QUOTA else None,
        created_by=by,
        created_at=now,
    )
    Member.objects.bulk_create(_selected(cohort))
    audit.record(
        "cohort drafted", cohort, by=by, now=now, team=cohort.team,
        policy=policy, q=q, quota=cohort.quota,
    )  # fmt: skip
    return cohort


def check_dates(name: str, test_date: date, *, now: datetime) -> None:
    """:raises NoName, TooSoon, TooFar:"""
    if not name.strip():
        raise NoName
    if test_date < now.date() + CORE:
        raise TooSoon
    if test_date > now.date() + FURTHEST_TEST:
        raise TooFar


@dataclass(frozen=True)
class Reselection:
    """How many people came into a cohort and went out of it, of those the ranking chose."""

    came: int
    went: int


@transaction.atomic
def reselect(
    *,
    cohort: Cohort,
    policy: str,
    q: float | None = None,
    quota: int | None = None,
    by: Person,
    now: datetime,
) -> Reselection:
    """
    Select the ranked again by another policy, and solve every plan of the cohort.

    A manager's own additions, raised hands and whoever was left out stay as they are.

    :raises PolicyRefused, membership.NotADraft:
    """
    membership.lock(cohort)
    q = cohort.q if q is None else q
    _check_policy(policy, q, quota)
    cohort.policy, cohort.q = policy, q
    cohort.quota = quota if policy == Scorecard.Policy.QUOTA else None
    cohort.save(update_fields=["policy", "q", "quota"])
    known = {member.person_id: member for member in cohort.members.all()}
    ranked = {
        pk
        for pk, member in known.items()
        if member.source == Member.Source.RANKING and not member.left_out
    }
    fresh = {
        member.person_id: member
        for member in _selected(cohort)
        if member.person_id not in known or member.person_id in ranked
    }
    moved = [
        pk
        for pk in ranked
        if pk not in fresh
        or (fresh[pk].side, fresh[pk].source) != (known[pk].side, Member.Source.RANKING)
    ]
    came = [member for pk, member in fresh.items() if pk not in known or pk in moved]
    cohort.members.filter(person__in=moved).delete()
    Member.objects.bulk_create(came, batch_size=500)
    for pk in ranked - set(moved):
        known[pk].chance = fresh[pk].chance
    Member.objects.bulk_update(
        [known[pk] for pk in sorted(ranked - set(moved))], ["chance"], batch_size=200
    )
    found = Reselection(came=len(came), went=len(moved))
    audit.record(
        "cohort selected again", cohort, by=by, now=now, team=cohort.team,
        policy=policy, q=q, quota=cohort.quota, came=found.came, went=found.went,
    )  # fmt: skip
    new = [member.person_id for member in came if member.person_id not in known]
    plans.unknown_before(cohort, Person.objects.filter(pk__in=new))
    what = f"Selected again by the policy “{policy}”: {found.came} came, {found.went} went"
    plans.solve_all(cohort, what=what, by=by, now=now)
    return found


def _check_policy(policy: str, q: float, quota: int | None) -> None:
    """:raises PolicyRefused:"""
    if policy not in Scorecard.Policy.values:
        raise PolicyRefused(
            "policy",
            said("Choose one of %(policies)s.", policies=", ".join(Scorecard.Policy.values)),
        )
    if not NARROWEST <= q <= WIDEST:
        raise PolicyRefused(
            "q",
            said(
                "A band covers from %(least)s to %(most)s of the peers.",
                least=f"{100 * NARROWEST:.0f} %",
                most=f"{100 * WIDEST:.0f} %",
            ),
        )
    if quota is not None and not 1 <= quota <= MOST_SEATS:
        raise PolicyRefused(
            "quota",
            said("Take from 1 to %(most)s people from each end.", most=f"{MOST_SEATS:,}"),
        )


def _selected(cohort: Cohort) -> list[Member]:
    """
    Who takes part. Hands are added to the ranked; a learner does not coach in the same cohort.
    """
    field = selection.field_of(cohort.ranking).at(cohort.q)
    chosen = field.choose(cohort.policy, quota=cohort.quota)
    weak = dict(zip(field.person[chosen.learner], field.p_low[chosen.learner], strict=True))
    strong = dict(zip(field.person[chosen.coach], field.p_high[chosen.coach], strict=True))
    # Somebody who swims already is not pulled out for a second plan.
    swimming = selection.swimming_in(cohort.ranking)
    learners = {
        int(person): Member(
            cohort=cohort, person_id=int(person), side=Member.Side.LEARNER, chance=float(chance)
        )
        for person, chance in weak.items()
        if person not in swimming
    }
    for hand in selection.hands_in(cohort.ranking):
        learners.setdefault(
            hand.person_id,
            Member(
                cohort=cohort,
                person_id=hand.person_id,
                side=Member.Side.LEARNER,
                source=Member.Source.HAND,
                metric_id=hand.metric_id,
                note=hand.note[:300],
            ),
        )
    coaches = [
        Member(cohort=cohort, person_id=int(person), side=Member.Side.COACH, chance=float(chance))
        for person, chance in strong.items()
        if person not in learners
    ]
    return [*learners.values(), *coaches]


def close_finished(*, now: datetime) -> int:
    """Close every running cohort in which nobody swims or waits any more; returns how many."""
    finished = _finished(Cohort.objects.all()).select_related("team", "created_by")
    return sum(close_if_finished(cohort, now=now) for cohort in finished)


def _finished(cohorts: QuerySet[Cohort]) -> QuerySet[Cohort]:
    """Those that run, and in which nobody swims and nobody waits for a coach."""
    waiting = Waiting.objects.filter(cohort=OuterRef("pk"), settled_at=None)
    return cohorts.filter(~Exists(waiting), state=Cohort.State.LIVE).exclude(
        pairs__state__in=Pair.ACTIVE
    )


@transaction.atomic
def close_if_finished(cohort: Cohort, *, now: datetime) -> bool:
    """
    Close a running cohort once none of its pairs is active and nobody waits for a coach, and
    tell everybody.
    """
    finished = _finished(Cohort.objects.filter(pk=cohort.pk))
    if finished.update(state=Cohort.State.CLOSED, closed_at=now) != 1:
        return False
    pairs = list(cohort.pairs.counted().select_related("learner__team__manager", "coach"))
    # Of several pairs one after the other, the last one says how it ended for the learner.
    last = {(pair.learner_id, pair.metric_id): pair for pair in pairs}.values()
    passed = sum(pair.state == Pair.State.PASSED for pair in last)
    staff = {pair.learner for pair in pairs} | {pair.coach for pair in pairs}
    managers = {manager for pair in pairs for manager in people.chain_above(pair.learner)[:1]}
    if cohort.created_by:
        managers.add(cohort.created_by)
    outbox.promise(
        [
            messages.closed(
                cohort, reader, pairs=len(last), passed=passed, is_manager=reader in managers
            )
            for reader in sorted(staff | managers, key=lambda reader: reader.pk)
        ],
        now=now,
    )
    audit.record(
        "cohort closed", cohort, by=None, now=now, team=cohort.team,
        pairs=len(last), passed=passed,
    )  # fmt: skip
    return True
