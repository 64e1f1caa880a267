"""From a plan to live pairs, once; everything it would send beforehand; and back, for an hour."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef

from coaching.domain import cadence, progress
from coaching.domain.said import said, said_together
from coaching.errors import CoachingError
from coaching.models import (
    Cohort,
    DraftPair,
    HandRaise,
    Letter,
    Metric,
    Notice,
    Pair,
    Person,
    Plan,
    Session,
    Standing,
    Unpaired,
    Waiting,
    Yardstick,
)
from coaching.models.base import in_english, new_public_id
from coaching.notifications import messages, outbox
from coaching.queries import plans as plan_queries
from coaching.services import audit, reminders
from coaching.services.plans import BeingSolved

# So long a launch can be taken back.
UNDO = timedelta(hours=1)
# States of a letter that its reader has, or may have.
GONE = (Letter.State.SENDING, Letter.State.SENT, Letter.State.UNCERTAIN)


class AlreadyLaunched(CoachingError):
    message = said("This plan has already been launched.")


class NothingToLaunch(CoachingError):
    message = said("The plan has no pairs yet. Solve it first, or add learners and coaches.")


class NotReady(CoachingError):
    message = said("The plan changed while you were looking at it. Look again before you launch.")


class SeatTaken(CoachingError):
    pass


class SomebodyLeft(CoachingError):
    pass


class NotAgain(CoachingError):
    pass


class BothSides(CoachingError):
    pass


# -- launch ------------------------------------------------------------------------------


@transaction.atomic
def launch(*, plan: Plan, by: Person, now: datetime, revision: int | None = None) -> None:
    """
    Turn a draft plan into live pairs, once, and tell both sides of each.

    1. the plan and its cohort leave the draft state, or nothing happens,
    2. baseline, target, stretch and test date of every pair are frozen,
    3. whoever only lacks a seat waits for one,
    4. pairs, invitations and the audit row are written in the same transaction.

    revision : the state of the plan the manager saw, when there was one

    :raises AlreadyLaunched, NothingToLaunch, NotReady, BeingSolved, SomebodyLeft, NotAgain,
        BothSides, SeatTaken:
    """
    # The cohort first: of two plans for it, or two presses of the button, one passes here.
    draft = Cohort.objects.filter(pk=plan.cohort_id, state=Cohort.State.DRAFT)
    if draft.update(state=Cohort.State.LIVE, launched_at=now) != 1:
        raise AlreadyLaunched
    Plan.objects.filter(pk=plan.pk).update(state=Plan.State.LAUNCHED, launched_at=now)
    plan.refresh_from_db(fields=["revision", "capacities", "lot", "queued_at"])
    if plan.queued_at is not None:
        raise BeingSolved
    if revision is not None and plan.revision != revision:
        raise NotReady
    cohort = _cohort_of(plan)
    proposals = _proposals_of(plan)
    if not proposals:
        raise NothingToLaunch
    hold(person for draft in proposals for person in (draft.learner, draft.coach))
    _check(proposals)
    slots = _free_slots(proposals, plan.capacities)
    pairs = list(_pairs_of(cohort, proposals, now=now))
    for pair in pairs:
        pair.slot = slots[pair.coach_id].pop(0)
    _store(pairs)
    waiting = _in_line(plan, cohort, now=now)
    HandRaise.objects.filter(
        person__in=[pair.learner_id for pair in pairs], lowered_at=None
    ).update(lowered_at=now)
    outbox.promise(_invitations(pairs), now=now)
    audit.record(
        "cohort launched", cohort, by=by, now=now, team=cohort.team,
        pairs=len(pairs), waiting=len(waiting),
    )  # fmt: skip


def preview(plan: Plan, now: datetime, *, drafts: Collection[str] | None = None) -> list[Letter]:
    """
    Every letter that a launch at `now` would send, unsaved: the words are those of the launch.

    drafts : public ids of the draft pairs to look at, when not all
    """
    proposals = _proposals_of(plan, drafts)
    pairs = _pairs_of(_cohort_of(plan), proposals, now=now)
    letters = [message.letter for message in _invitations(pairs)]
    for letter in letters:
        letter.created_at = now
        letter.next_attempt_at = outbox.leaves_at(letter, now=now)
    return letters


def _cohort_of(plan: Plan) -> Cohort:
    return Cohort.objects.select_related("team", "ranking").get(pk=plan.cohort_id)


def _proposals_of(plan: Plan, only: Collection[str] | None = None) -> list[DraftPair]:
    rows = plan.draft_pairs.select_related("learner__team", "coach", "metric")
    return list(rows if only is None else rows.filter(public_id__in=list(only)))


def _invitations(pairs: Iterable[Pair]) -> list[outbox.Message]:
    return [
        messages.invitation(pair, reader) for pair in pairs for reader in (pair.learner, pair.coach)
    ]


def hold(people: Iterable[Person]) -> None:
    """
    Let nobody else pair these people, or have them leave, until this transaction ends; they are
    read again. In one order everywhere, so that two of us wait for each other and not both.
    """
    known = defaultdict(list)
    for person in people:
        known[person.pk].append(person)
    # Rows that point to a person may be written meanwhile.
    held = Person.objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk")
    for pk, active in held.values_list("pk", "active"):
        for person in known[pk]:
            person.active = active


def _check(proposals: list[DraftPair]) -> None:
    """
    What may have happened to these people since the plan was solved.

    :raises SomebodyLeft, NotAgain, BothSides:
    """
    for person in {person for draft in proposals for person in (draft.learner, draft.coach)}:
        if not person.active:
            raise SomebodyLeft(
                said("%(name)s has left. Solve the plan again before you launch.", name=person.name)
            )
    together = {(draft.learner_id, draft.coach_id): draft for draft in proposals}
    ended = (
        Pair.objects.filter(state=Pair.State.ENDED, learner__in={who for who, _ in together})
        .exclude(ending__in=Pair.BLAMELESS)
        .values_list("learner", "coach")
    )
    for draft in (together[who] for who in ended if who in together):
        raise NotAgain(
            said(
                "%(coach)s and %(learner)s have been a pair that ended; they are not paired again. "
                "Solve the plan again before you launch.",
                coach=draft.coach.name,
                learner=draft.learner.name,
            )
        )
    clashes = plan_queries.both_sides(proposals)
    if clashes:
        again = said("Solve the plan again before you launch.")
        raise BothSides(said_together([*clashes, again]))


def _store(pairs: list[Pair]) -> None:
    """:raises SeatTaken:"""
    # In one order everywhere, so that two launches wait for each other and not both at once.
    pairs.sort(key=lambda pair: (pair.coach_id, pair.slot))
    try:
        with transaction.atomic():
            Pair.objects.bulk_create(pairs, batch_size=500)
    except IntegrityError as clash:
        raise SeatTaken(
            said(
                "Somebody in this plan was paired elsewhere in the meantime. Solve the plan again; "
                "it will take that into account."
            )
        ) from clash


def _pairs_of(cohort: Cohort, proposals: list[DraftPair], *, now: datetime) -> Iterable[Pair]:
    """The pairs that these proposals become, unsaved and without a seat yet."""
    frame = Frame.of(cohort, [proposal.learner_id for proposal in proposals], now=now)
    for proposal in proposals:
        yield frame.pair(
            learner=proposal.learner,
            coach=proposal.coach,
            metric=proposal.metric,
            score=proposal.score,
            parts=proposal.parts,
            public_id=proposal.public_id,
        )


@dataclass(frozen=True)
class Frame:
    """What is frozen when somebody starts: their standing, and the peers' yardsticks."""

    cohort: Cohort
    standings: dict[tuple[int, int], Standing]
    yardsticks: dict[tuple[int, str], Yardstick]
    counts_from: date
    now: datetime

    @classmethod
    def of(cls, cohort: Cohort, learners: list[int], *, now: datetime) -> "Frame":
        rows = cohort.ranking.standings.filter(person__in=learners, metric__isnull=False)
        return cls(
            cohort=cohort,
            standings={(row.person_id, row.metric_id): row for row in rows},
            yardsticks={(row.metric_id, row.group): row for row in cohort.ranking.yardsticks.all()},
            # Selection and follow-up never overlap: only whole weeks after the launch count.
            counts_from=max(
                cadence.week_of(now.date()) + cadence.WEEK, cohort.ranking.until + cadence.WEEK
            ),
            now=now,
        )

    def pair(
        self, *, learner: Person, coach: Person, metric: Metric, score: int, parts: list, **values
    ) -> Pair:
        """A new pair with frozen numbers, unsaved and without a seat."""
        standing = self.standings[learner.pk, metric.pk]
        yardstick = self.yardsticks[metric.pk, standing.group]
        target = target_for(self.cohort.target_form, standing, yardstick, metric)
        return begun(
            Pair(
                cohort=self.cohort,
                learner=learner,
                coach=coach,
                metric=metric,
                score=score,
                parts=parts,
                baseline=standing.estimate,
                baseline_se=standing.se,
                peer_mean=yardstick.mean,
                tau2=yardstick.tau2,
                sigma2=yardstick.sigma2,
                target=target,
                stretch=progress.stretch_line(baseline=standing.estimate, target=target),
                target_formula=in_english(self.cohort.get_target_form_display()),
                counts_from=self.counts_from,
                test_date=self.cohort.test_date,
                **values,
            ),
            now=self.now,
        )


def begun(pair: Pair, *, now: datetime) -> Pair:
    """A pair whose clocks start now; nothing is stored."""
    pair.clocks_from = now.astimezone(pair.learner.zone).date()
    pair.started_at = pair.state_since = now
    pair.next_check_at = now + timedelta(days=1)
    pair.next_reminder_at = reminders.next_reminder(pair, after=now)
    return pair


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
                said(
                    "%(name)s has fewer free seats by now (%(left)s) than this plan needs "
                    "(%(number)s). Solve the plan again; it will take that into account.",
                    name=coach.name,
                    left=left,
                    number=count,
                )
            )
        slots[coach.pk] = lowest_free(busy, count)
    return slots


def lowest_free(busy: set[int], count: int) -> list[int]:
    """
    >>> lowest_free({1, 3}, 2)
    [2, 4]
    """
    return [slot for slot in range(1, count + len(busy) + 1) if slot not in busy][:count]


def _in_line(plan: Plan, cohort: Cohort, *, now: datetime) -> list[Waiting]:
    """
    Whoever the plan leaves out for want of a seat waits, in the order of the lot or of the score;
    who has no possible coach at all does not.
    """
    scarce = plan.unpaired.filter(scarce=True, learner__active=True)
    line = sorted(scarce.select_related("learner"), key=_turn)
    return Waiting.objects.bulk_create(
        [
            Waiting(
                cohort=cohort,
                learner=row.learner,
                why=Waiting.Why.NO_SEAT,
                place=place,
                by_lot=row.place is not None,
                since=now,
            )
            for place, row in enumerate(line, start=1)
        ]
    )


def _turn(row: Unpaired) -> tuple[bool, int, int]:
    # Without a lot the plan lists whom it leaves out by what they would have brought.
    return row.place is None, row.place or 0, row.pk


# -- taking it back ----------------------------------------------------------------------


class NotRunning(CoachingError):
    message = said("This cohort is not running; there is nothing to take back.")


class TooLate(CoachingError):
    pass


class SessionHeld(CoachingError):
    message = said(
        "Two of them have met already, so this launch stands. A pair that should not go on can be "
        "ended on its own page."
    )


def undo_until(cohort: Cohort) -> datetime | None:
    """Until when a launch can be taken back; None for a cohort that does not run."""
    running = cohort.state == Cohort.State.LIVE and cohort.launched_at is not None
    return cohort.launched_at + UNDO if running else None


@transaction.atomic
def undo(*, cohort: Cohort, by: Person, now: datetime) -> None:
    """
    Take a launch back within the hour, as if it had not been.

    1. cohort and plan are drafts again, the pairs end as undone, nobody waits,
    2. hands that the launch lowered are up again,
    3. letters that have not left are withdrawn; whom one may have reached gets one correction,
    4. the draft pairs get new public ids, so that the next launch makes new promises.

    :raises NotRunning, TooLate, SessionHeld:
    """
    cohort = Cohort.objects.select_for_update(of=("self",)).select_related("team").get(pk=cohort.pk)
    until, launched_at = undo_until(cohort), cohort.launched_at
    if until is None:
        raise NotRunning
    if now > until:
        raise TooLate(
            said(
                "A launch can be taken back for an hour, and this one is older. A pair that should "
                "not go on can be ended on its own page."
            )
        )
    Cohort.objects.filter(pk=cohort.pk).update(state=Cohort.State.DRAFT, launched_at=None)
    pairs = Pair.objects.filter(cohort=cohort, started_at__gte=launched_at)
    active = list(pairs.active().select_related("learner", "coach").order_by("pk"))
    # Ended before the look at the sessions: whoever logs one now finds no pair to log it for.
    pairs.active().update(
        state=Pair.State.ENDED,
        ending=Pair.Ending.UNDONE,
        ended_at=now,
        ended_by=by,
        state_since=now,
        revision=F("revision") + 1,
    )
    if Session.objects.filter(pair__in=pairs, state=Session.State.HELD).exists():
        raise SessionHeld
    Session.objects.filter(pair__in=pairs, state=Session.State.PLANNED).update(
        state=Session.State.WITHDRAWN, sequence=F("sequence") + 1
    )
    cohort.waiting.all().delete()
    _draft_again(cohort)
    _raise_again(active, launched_at)
    corrected = _call_back(cohort, active, launched_at=launched_at, now=now)
    audit.record(
        "launch taken back", cohort, by=by, now=now, team=cohort.team,
        pairs=len(active), corrected=corrected,
    )  # fmt: skip


def _draft_again(cohort: Cohort) -> None:
    plan = cohort.plans.get(state=Plan.State.LAUNCHED)
    Plan.objects.filter(pk=plan.pk).update(
        state=Plan.State.DRAFT, launched_at=None, revision=F("revision") + 1
    )
    drafts = list(plan.draft_pairs.all())
    for draft in drafts:
        draft.public_id = new_public_id()
    DraftPair.objects.bulk_update(drafts, ["public_id"], batch_size=500)


def _raise_again(pairs: list[Pair], launched_at: datetime) -> None:
    """Hands that this launch lowered, unless somebody has raised one again by themselves."""
    raised = HandRaise.objects.filter(
        person=OuterRef("person"), metric=OuterRef("metric"), lowered_at=None
    )
    HandRaise.objects.filter(
        ~Exists(raised), person__in=[pair.learner_id for pair in pairs], lowered_at=launched_at
    ).update(lowered_at=None)


def _call_back(cohort: Cohort, pairs: list[Pair], *, launched_at: datetime, now: datetime) -> int:
    """Withdraw what can be, correct what cannot; returns how many people are corrected."""
    letters = Letter.objects.filter(pair__in=pairs)
    # Claimed ones as well, in one statement: a worker that begins to send one now either was
    # first, and its letter counts as gone, or finds that it is not its any more.
    letters.filter(state__in=[Letter.State.PENDING, Letter.State.LEASED]).update(
        state=Letter.State.CANCELLED,
        lease_token=None,
        lease_until=None,
        outcome="The launch was taken back.",
    )
    gone = set(letters.filter(state__in=GONE).values_list("recipient", flat=True))
    notices = Notice.objects.filter(dedupe_key__in=letters.values("dedupe_key"))
    told = gone | set(notices.exclude(read_at=None).values_list("person", flat=True))
    notices.filter(read_at=None).exclude(person__in=told).delete()
    partners: dict[Person, list[str]] = {}
    for pair in pairs:
        for reader in (pair.learner, pair.coach):
            partners.setdefault(reader, []).append(pair.partner_of(reader).name)
    corrections = [
        messages.correction(cohort, reader, launched_at=launched_at, partners=names)
        for reader, names in partners.items()
        if reader.pk in told
    ]
    # Who has only read the notice inside Lanemate is told there, and gets no letter.
    outbox.promise([one for one in corrections if one.letter.recipient_id in gone], now=now)
    outbox.tell([one.notice for one in corrections if one.letter.recipient_id not in gone], now=now)
    return len(gone)


# -- targets -----------------------------------------------------------------------------


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
