"""The cohort's life: selected, planned, launched once, closed when everybody has passed."""

from collections import Counter
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from coaching.domain import cadence, progress
from coaching.domain.selection import NARROWEST, WIDEST
from coaching.errors import CoachingError
from coaching.models import (
    Cohort,
    DraftPair,
    HandRaise,
    Member,
    Metric,
    Pair,
    Person,
    Plan,
    Ranking,
    Scorecard,
    Standing,
    Yardstick,
)
from coaching.notifications import messages, outbox
from coaching.queries import people, selection
from coaching.services import audit, reminders

CORE = timedelta(weeks=4)
# Two looks more than the core: the third look at the target may come with the test.
DEFAULT_LENGTH = timedelta(weeks=8)
FURTHEST_TEST = timedelta(weeks=104)
MOST_SEATS = 100_000


class NoName(CoachingError):
    message = "Give the cohort a name, for example “Autumn”."


class TooSoon(CoachingError):
    message = "The test date must lie at least four weeks ahead: that is the core of the coaching."


class TooFar(CoachingError):
    message = "The test can lie at most two years ahead; eight weeks are usual."


class OnlyPeople(CoachingError):
    message = (
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
    if not name.strip():
        raise NoName
    if test_date < now.date() + CORE:
        raise TooSoon
    if test_date > now.date() + FURTHEST_TEST:
        raise TooFar
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


def _check_policy(policy: str, q: float, quota: int | None) -> None:
    """:raises PolicyRefused:"""
    if policy not in Scorecard.Policy.values:
        raise PolicyRefused("policy", f"Choose one of {', '.join(Scorecard.Policy.values)}.")
    if not NARROWEST <= q <= WIDEST:
        raise PolicyRefused(
            "q",
            f"A band covers from {100 * NARROWEST:.0f} % to {100 * WIDEST:.0f} % of the peers.",
        )
    if quota is not None and not 1 <= quota <= MOST_SEATS:
        raise PolicyRefused("quota", f"Take from 1 to {MOST_SEATS:,} people from each end.")


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


class AlreadyLaunched(CoachingError):
    message = "This plan has already been launched."


class NothingToLaunch(CoachingError):
    message = "The plan has no pairs yet. Solve it first, or add learners and coaches."


class NotReady(CoachingError):
    message = "The plan changed while you were looking at it. Look again before you launch."


@transaction.atomic
def launch(*, plan: Plan, by: Person, now: datetime, revision: int | None = None) -> None:
    """
    Turn a draft plan into live pairs, once, and tell both sides of each.

    1. the plan and its cohort leave the draft state, or nothing happens,
    2. baseline, target, stretch and test date of every pair are frozen,
    3. pairs, invitations and the audit row are written in the same transaction.

    revision : the state of the plan the manager saw, when there was one

    :raises AlreadyLaunched, NothingToLaunch, NotReady, SomebodyLeft, SeatTaken:
    """
    # The cohort first: of two plans for it, or two presses of the button, one passes here.
    draft = Cohort.objects.filter(pk=plan.cohort_id, state=Cohort.State.DRAFT)
    if draft.update(state=Cohort.State.LIVE, launched_at=now) != 1:
        raise AlreadyLaunched
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.LAUNCHED, launched_at=now)
    plan.refresh_from_db(fields=["revision", "capacities"])
    if revision is not None and plan.revision != revision:
        raise NotReady
    cohort = Cohort.objects.select_related("team", "ranking").get(pk=plan.cohort_id)
    proposals = list(plan.draft_pairs.select_related("learner__team", "coach", "metric"))
    if not proposals:
        raise NothingToLaunch
    for person in {person for draft in proposals for person in (draft.learner, draft.coach)}:
        if not person.active:
            raise SomebodyLeft(f"{person.name} has left. Solve the plan again before you launch.")
    pairs = _start_pairs(cohort, proposals, capacities=plan.capacities, now=now)
    HandRaise.objects.filter(
        person__in=[pair.learner_id for pair in pairs], lowered_at=None
    ).update(lowered_at=now)
    outbox.promise(
        [
            messages.invitation(pair, reader)
            for pair in pairs
            for reader in (pair.learner, pair.coach)
        ],
        now=now,
    )
    audit.record("cohort launched", cohort, by=by, now=now, team=cohort.team, pairs=len(pairs))


class SeatTaken(CoachingError):
    pass


class SomebodyLeft(CoachingError):
    pass


def _start_pairs(
    cohort: Cohort, proposals: list[DraftPair], *, capacities: dict[str, int], now: datetime
) -> list[Pair]:
    slots = _free_slots(proposals, capacities)
    standings = {
        (row.person_id, row.metric_id): row
        for row in cohort.ranking.standings.filter(
            person__in=[proposal.learner_id for proposal in proposals], metric__isnull=False
        )
    }
    yardsticks = {(row.metric_id, row.group): row for row in cohort.ranking.yardsticks.all()}
    # Selection and follow-up never overlap: only whole weeks after the launch count.
    counts_from = max(
        cadence.week_of(now.date()) + cadence.WEEK, cohort.ranking.until + cadence.WEEK
    )
    pairs = []
    for proposal in proposals:
        standing = standings[proposal.learner_id, proposal.metric_id]
        yardstick = yardsticks[proposal.metric_id, standing.group]
        target = target_for(cohort.target_form, standing, yardstick, proposal.metric)
        pair = Pair(
            cohort=cohort,
            learner=proposal.learner,
            coach=proposal.coach,
            metric=proposal.metric,
            slot=slots[proposal.coach_id].pop(0),
            score=proposal.score,
            parts=proposal.parts,
            baseline=standing.estimate,
            baseline_se=standing.se,
            peer_mean=yardstick.mean,
            tau2=yardstick.tau2,
            sigma2=yardstick.sigma2,
            target=target,
            stretch=progress.stretch_line(baseline=standing.estimate, target=target),
            target_formula=cohort.get_target_form_display(),
            counts_from=counts_from,
            clocks_from=now.astimezone(proposal.learner.zone).date(),
            test_date=cohort.test_date,
            started_at=now,
            state_since=now,
            next_check_at=now + timedelta(days=1),
        )
        pair.next_reminder_at = reminders.next_reminder(pair, after=now)
        pairs.append(pair)
    # In one order everywhere, so that two launches wait for each other and not both at once.
    pairs.sort(key=lambda pair: (pair.coach_id, pair.slot))
    try:
        with transaction.atomic():
            Pair.objects.bulk_create(pairs, batch_size=500)
    except IntegrityError as clash:
        raise SeatTaken(
            "Somebody in this plan was paired elsewhere in the meantime. "
            "Solve the plan again; it will take that into account."
        ) from clash
    return pairs


def _free_slots(proposals: list[DraftPair], capacities: dict[str, int]) -> dict[int, list[int]]:
    """
    For each coach, the numbers of seats that no active pair holds, lowest first.

    :raises SeatTaken: when a coach has fewer left than the plan needs
    """
    needed = Counter(proposal.coach for proposal in proposals)
    taken: dict[int, set[int]] = {coach.pk: set() for coach in needed}
    active = Pair.objects.active().filter(coach__in=needed).values_list("coach_id", "slot")
    for coach, slot in active:
        taken[coach].add(slot)
    slots = {}
    for coach, count in needed.items():
        busy = taken[coach.pk]
        # Another cohort may have been launched since this plan was solved.
        left = max(capacities.get(coach.public_id, coach.capacity) - len(busy), 0)
        if count > left:
            raise SeatTaken(
                f"{coach.name} has fewer free seats by now ({left}) than this plan needs "
                f"({count}). Solve the plan again; it will take that into account."
            )
        slots[coach.pk] = [slot for slot in range(1, count + len(busy) + 1) if slot not in busy]
    return slots


def target_for(form: str, standing: Standing, yardstick: Yardstick, metric: Metric) -> float:
    """
    The frozen target of a learner, on the working scale, from the *shrunken* baseline.

    Somebody who raised a hand may be past the group's benchmark already; the
    target is then a fifth of the peers' spread beyond the own baseline, and far enough that
    it is not likely met already. It never asks for more than half of what is left to the best
    possible value: nobody can pass that.
    """
    benchmark = {
        Cohort.Target.GAP_TOP: yardstick.top_quartile,
        Cohort.Target.GAP_MEAN: yardstick.mean,
        Cohort.Target.MIDDLE: yardstick.low_cut,
    }[form]
    share = 1.0 if form == Cohort.Target.MIDDLE else 0.5
    target = progress.gap_target(baseline=standing.estimate, benchmark=benchmark, share=share)
    smallest = max(0.2 * yardstick.scale, progress.least_step(standing.se))
    if metric.sign * (target - standing.estimate) < smallest:
        target = standing.estimate + metric.sign * smallest
    best = _best_possible(metric)
    if best is not None and metric.sign * (best - standing.estimate) > 0:
        half_way = (standing.estimate + best) / 2
        target = min(target, half_way) if metric.higher_is_better else max(target, half_way)
    return target


def _best_possible(metric: Metric) -> float | None:
    """The end of the scale on the better side; None where there is none (a logarithm has none)."""
    if metric.kind == Metric.Kind.DURATION:
        return None
    if metric.higher_is_better:
        return 1.0 if metric.kind == Metric.Kind.PROPORTION else metric.upper
    counted = metric.kind in (Metric.Kind.PROPORTION, Metric.Kind.RATE)
    return 0.0 if counted else metric.lower


def close_finished(*, now: datetime) -> int:
    """Close every running cohort in which nobody swims any more; returns how many."""
    finished = Cohort.objects.filter(state=Cohort.State.LIVE).exclude(pairs__state__in=Pair.ACTIVE)
    return sum(close_if_finished(cohort, now=now) for cohort in finished.select_related("team"))


@transaction.atomic
def close_if_finished(cohort: Cohort, *, now: datetime) -> bool:
    """Close a running cohort once none of its pairs is active, and tell everybody."""
    running = Cohort.objects.filter(pk=cohort.pk, state=Cohort.State.LIVE).exclude(
        pairs__state__in=Pair.ACTIVE
    )
    if running.update(state=Cohort.State.CLOSED, closed_at=now) != 1:
        return False
    pairs = list(cohort.pairs.select_related("learner__team__manager", "coach"))
    passed = sum(pair.state == Pair.State.PASSED for pair in pairs)
    staff = {pair.learner for pair in pairs} | {pair.coach for pair in pairs}
    managers = {manager for pair in pairs for manager in people.chain_above(pair.learner)[:1]}
    if cohort.created_by:
        managers.add(cohort.created_by)
    outbox.promise(
        [
            messages.closed(
                cohort, reader, pairs=len(pairs), passed=passed, is_manager=reader in managers
            )
            for reader in sorted(staff | managers, key=lambda reader: reader.pk)
        ],
        now=now,
    )
    audit.record(
        "cohort closed", cohort, by=None, now=now, team=cohort.team,
        pairs=len(pairs), passed=passed,
    )  # fmt: skip
    return True
