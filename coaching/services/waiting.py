"""Those who wait for a coach: the next best one is proposed the same day, and a person decides."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, Q

from coaching.domain import matching
from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import (
    Cohort,
    HandRaise,
    Look,
    Member,
    Metric,
    Pair,
    Person,
    Plan,
    Rule,
    TargetChange,
    Waiting,
)
from coaching.models.base import in_english
from coaching.notifications import messages, outbox
from coaching.queries import leaves
from coaching.queries import waiting as waiting_queries
from coaching.services import audit, cohorts, departures, launches
from coaching.services.plans.question import Question, question_of
from coaching.services.plans.wishes import Wishes

# Looked at again even if nothing has changed that we know of: seats and leaves change by hand.
AGAIN = timedelta(days=1)


class NotRunning(CoachingError):
    message = said("This cohort is not running any more; nobody in it waits for a coach.")


class Settled(CoachingError):
    message = said("This has been settled already. Look at the list again.")


class NobodyProposed(CoachingError):
    message = said(
        "Nobody is proposed at the moment. Choose one of the coaches, or wait for a seat."
    )


class CannotCoach(CoachingError):
    pass


class NoSeat(CoachingError):
    pass


class NoReason(CoachingError):
    message = said("Say in a sentence why they do not wait any more; the cohort keeps it.")


# -- the small plan ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Line:
    """
    Who waits in a cohort and the coaches with a free seat, as a small plan of its own.

    Seats go by place; who gets which coach is the optimum of those who get one.

    waiting : whose row of the question is whose, by position
    seats : (coaches,), free ones of coaches who are here
    """

    waiting: list[Waiting]
    question: Question
    seats: np.ndarray

    @cached_property
    def problem(self) -> matching.Problem:
        """Only those whose turn it is ask for a seat."""
        turn = sorted(self.waiting, key=lambda row: (row.place, row.pk))
        place = {row.pk: at for at, row in enumerate(turn)}
        order = np.array([place[row.pk] for row in self.waiting], dtype=np.int64)
        return self._problem(matching.draw(self._problem(None), order).astype(np.int64))

    def _problem(self, demand: np.ndarray | None) -> matching.Problem:
        question = self.question
        return question.found.problem(
            seats=self.seats,
            forbidden=question.forbidden,
            floor=question.wishes.floor,
            demand=demand,
            learner_ids=question.ids,
            coach_ids=[person.pk for person in question.coaches],
            name=question.name,
        )

    @cached_property
    def answer(self) -> matching.Plan:
        return matching.solve(self.problem)

    @cached_property
    def chosen(self) -> dict[int, int]:
        """Row -> position of the coach the small plan gives them."""
        return dict(zip(self.answer.learner.tolist(), self.answer.coach.tolist(), strict=True))

    def proposals(self) -> dict[int, "Offer"]:
        """Waiting row number -> the coach the small plan gives them."""
        return {
            self.waiting[row].pk: self._offer(row, coach, proposed=True)
            for row, coach in self.chosen.items()
        }

    def offers(self, row: int) -> list["Offer"]:
        """Every coach with a free seat for a row: the proposed one first, then the cheapest."""
        price = self._prices.regret(row) if self.problem.demand[row] else None
        found = []
        for coach in self._candidates(row):
            if coach == self.chosen.get(row):
                found.append(self._offer(row, coach, proposed=True))
            elif price and price.possible[coach]:
                score = max(int(price.lost_score[coach]), 0)
                seats = int(price.lost_seats[coach])
                found.append(self._offer(row, coach, lost_seats=seats, lost_score=score))
            else:
                # Who is not in turn takes the seat of somebody who is.
                found.append(self._offer(row, coach, lost_seats=1))
        return sorted(
            found, key=lambda one: (not one.proposed, one.lost_seats, one.lost_score, -one.score)
        )

    @cached_property
    def _prices(self) -> matching.Exchanges:
        return matching.Exchanges(self.problem, self.answer)

    def _candidates(self, row: int) -> list[int]:
        apart = {coach for one, coach in self.question.forbidden if one == row}
        mine = self.problem.coach[self.problem.learner == row].tolist()
        return [coach for coach in mine if coach not in apart and self.seats[coach] > 0]

    def _offer(self, row: int, coach: int, **values) -> "Offer":
        question = self.question
        rows, coaches = np.array([row]), np.array([coach])
        return Offer(
            coach=question.coaches[coach],
            metric=question.metrics[question.found.focus[row, coach]],
            score=int(question.found.scores.pairs(rows, coaches)[0]),
            parts=question.parts(rows, coaches)[0],
            **values,
        )


@dataclass(frozen=True)
class Offer:
    """
    A coach somebody who waits could have.

    lost_seats, lost_score : what the small plan loses by insisting on this coach: others who
        wait and then go without, and score points
    """

    coach: Person
    metric: Metric
    score: int
    parts: list[dict]
    lost_seats: int = 0
    lost_score: int = 0
    proposed: bool = False

    @property
    def as_json(self) -> dict:
        return {
            "coach": self.coach.public_id,
            "metric": self.metric.key,
            "score": self.score,
            "parts": self.parts,
        }


def line_of(cohort: Cohort, waiting: Iterable[Waiting], *, now: datetime) -> Line | None:
    """
    The small plan of a running cohort for these people who wait.

    Somebody who waits for two skills is in it for the first; the other one has its turn later.
    None when nobody of them, or no plan, is there to be asked about.
    """
    plan = cohort.plans.filter(state=Plan.State.LAUNCHED).first()
    first: dict[int, Waiting] = {}
    for row in waiting:
        first.setdefault(row.learner_id, row)
    if plan is None or not first:
        return None
    wishes = Wishes.of(plan)
    # Pins were about the launch. Who is kept apart stays apart.
    rules = tuple(rule for rule in wishes.rules if rule.kind == Rule.Kind.FORBID)
    question = question_of(
        plan,
        replace(wishes, rules=rules, wants={}),
        now=now,
        asking={person: row.metric_id for person, row in first.items()},
        # A case asks what would be if the pair were ended; in a real line they have ended.
        leaving={row.after_id for row in first.values() if not row.pk},
    )
    if not question.rows:
        return None
    away = leaves.away_for_long(question.coaches, now.date(), longer_than=departures.LONG)
    here = np.array([coach.pk not in away for coach in question.coaches], dtype=bool)
    return Line(
        waiting=[first[person.pk] for person in question.rows],
        question=question,
        seats=np.where(here, question.seats, 0),
    )


def offers_in(cohort: Cohort, *, now: datetime) -> dict[int, list[Offer]]:
    """Waiting row number -> every coach with a free seat for them, priced."""
    line = line_of(cohort, waiting_queries.open_in(cohort), now=now)
    if line is None:
        return {}
    return {row.pk: line.offers(at) for at, row in enumerate(line.waiting)}


# -- proposals ---------------------------------------------------------------------------


def propose_due(*, now: datetime) -> int:
    """
    Propose the next best coach to whoever waits, and tell who decides; returns how many new
    proposals that made. Nothing starts by itself.

    Looked at when somebody begins to wait, when a seat has become free since, and once a day.
    """
    _settle_elsewhere(now=now)
    waiting = Waiting.objects.filter(settled_at=None, cohort__state=Cohort.State.LIVE)
    never = set(waiting.filter(proposed_at=None).values_list("cohort", flat=True))
    looked = waiting.exclude(proposed_at=None).order_by().values_list("cohort")
    due = never | {
        cohort
        for cohort, since in looked.annotate(since=Min("proposed_at"))
        if cohort not in never and (since <= now - AGAIN or _freed(cohort, since))
    }
    rows = Cohort.objects.filter(pk__in=due).select_related("team__manager", "created_by")
    return sum(_propose(cohort, now=now) for cohort in rows.order_by("pk"))


def _settle_elsewhere(*, now: datetime) -> None:
    """
    Whoever has found a coach for the same skill in another cohort does not wait here any more.

    A launch that may still be taken back does not count yet.
    """
    found = (
        Pair.objects.active()
        .filter(learner=OuterRef("learner"), started_at__gt=OuterRef("since"))
        .filter(started_at__lte=now - launches.UNDO)
        .exclude(cohort=OuterRef("cohort"))
    )
    same = found.filter(metric=OuterRef("metric"))
    rows = Waiting.objects.filter(settled_at=None, cohort__state=Cohort.State.LIVE).filter(
        Exists(same) | Q(metric=None) & Exists(found)
    )
    for row in rows.select_related("cohort__team", "learner").order_by("cohort", "pk"):
        _settle(row, now=now)


@transaction.atomic
def _settle(row: Waiting, *, now: datetime) -> None:
    Cohort.objects.select_for_update().get(pk=row.cohort_id)
    note = said("Has a coach in another cohort by now.")
    place = Waiting.objects.filter(pk=row.pk, settled_at=None)
    if place.update(settled_at=now, outcome=Waiting.Outcome.PAIRED, note=note) == 1:
        audit.record(
            "no longer waits for a coach", row.cohort, by=None, now=now, team=row.cohort.team,
            person=row.learner.public_id, note=note,
        )  # fmt: skip
        cohorts.close_if_finished(row.cohort, now=now)


def _freed(cohort: int, since: datetime) -> bool:
    """Whether one of the cohort's coaches has a seat more than then."""
    coaches = Member.objects.filter(cohort=cohort, side=Member.Side.COACH).values("person")
    over = Pair.objects.filter(coach__in=coaches, state_since__gt=since)
    return over.exclude(state__in=Pair.ACTIVE).exists()


@transaction.atomic
def _propose(cohort: Cohort, *, now: datetime) -> int:
    line = line_of(cohort, waiting_queries.open_in(cohort), now=now)
    offers = line.proposals() if line else {}
    items = []
    for row in waiting_queries.open_in(cohort):
        offer = offers.get(row.pk)
        proposal = offer.as_json if offer else None
        # Only the sweep that still sees the old look may write: two at once tell it once.
        mine = Waiting.objects.filter(pk=row.pk, settled_at=None, proposed_at=row.proposed_at)
        if mine.update(proposal=proposal, proposed_at=now) != 1:
            continue
        if offer and (row.proposal or {}).get("coach") != offer.coach.public_id:
            items.append(
                {
                    "waiting": row.pk,
                    "learner": row.learner.name,
                    "coach": offer.coach.name,
                    "metric": offer.metric.name,
                    "since": row.since.astimezone(row.learner.zone).date(),
                }
            )
    if items:
        outbox.promise(
            [
                messages.proposal(cohort, reader, items=items)
                for reader in waiting_queries.deciders(cohort)
            ],
            now=now,
        )
    return len(items)


# -- what a person decides ---------------------------------------------------------------


@transaction.atomic
def accept(*, waiting: Waiting, by: Person, now: datetime, coach: Person | None = None) -> Pair:
    """
    Give somebody who waits a coach: the proposed one, or another with a free seat.

    A learner who had a coach goes on where they were: baseline, target, stretch, test date, the
    weeks that count and the looks are those of the pair before. Who had none starts as at the
    launch.

    :raises NotRunning, Settled, NobodyProposed, CannotCoach, NoSeat:
    """
    # The two before the cohort, as when somebody leaves: nobody pairs them elsewhere meanwhile.
    proposed = (waiting.proposal or {}).get("coach", "")
    launches.hold([waiting.learner, *([coach] if coach else _named(proposed))])
    # The cohort next, as everywhere; a launch that is taken back waits, or was first.
    live = Cohort.objects.select_for_update(of=("self",)).select_related("team", "ranking")
    cohort = live.filter(pk=waiting.cohort_id, state=Cohort.State.LIVE).first()
    if cohort is None:
        raise NotRunning
    place = Waiting.objects.select_related("learner__team", "metric", "after__metric")
    place = place.filter(pk=waiting.pk, settled_at=None).first()
    if place is None:
        raise Settled
    offer = _offer_of(cohort, place, coach, now=now)
    pair = _pair_of(cohort, place, offer, now=now)
    _sit_down(cohort, pair)
    if place.after:
        _carry_over(place.after, pair)
    Waiting.objects.filter(pk=place.pk).update(
        settled_at=now, outcome=Waiting.Outcome.PAIRED, proposal=offer.as_json
    )
    HandRaise.objects.filter(person=place.learner, lowered_at=None).update(lowered_at=now)
    if not _seats_left(cohort, offer.coach):
        departures.forget_proposals(offer.coach)
    outbox.promise(
        [messages.invitation(pair, reader) for reader in (pair.learner, pair.coach)], now=now
    )
    audit.record(
        "pair begun for somebody who waited",
        pair, by=by, now=now, team=place.learner.team,
        why=in_english(Waiting.Why(place.why).label),
    )  # fmt: skip
    return pair


def _named(public_id: str) -> list[Person]:
    return list(Person.objects.filter(public_id=public_id))


def _offer_of(cohort: Cohort, place: Waiting, coach: Person | None, *, now: datetime) -> Offer:
    """:raises NobodyProposed, CannotCoach, NoSeat:"""
    wanted = coach.public_id if coach else (place.proposal or {}).get("coach")
    if wanted is None:
        raise NobodyProposed
    line = line_of(cohort, [place], now=now)
    name = coach.name if coach else Person.objects.get(public_id=wanted).name
    if line is None or wanted not in line.question.coach_at:
        raise CannotCoach(said("%(name)s does not coach in this cohort, or has left.", name=name))
    at = line.question.coach_at[wanted]
    reason = line.question.why_not(0, at)
    if reason or (0, at) in line.question.forbidden:
        raise CannotCoach(
            reason
            or said(
                "%(coach)s and %(learner)s are kept apart by a rule.",
                coach=name,
                learner=place.learner.name,
            )
        )
    for offer in line.offers(0):
        if offer.coach.public_id == wanted:
            return offer
    raise NoSeat(
        said("%(name)s has no free seat by now, or is away. Choose another coach.", name=name)
    )


def _pair_of(cohort: Cohort, place: Waiting, offer: Offer, *, now: datetime) -> Pair:
    before = place.after
    if before is None:
        frame = launches.Frame.of(cohort, [place.learner_id], now=now)
        return frame.pair(
            learner=place.learner,
            coach=offer.coach,
            metric=offer.metric,
            score=offer.score,
            parts=offer.parts,
        )
    carried = {name: getattr(before, name) for name in CARRIED}
    return launches.begun(
        Pair(
            cohort=cohort,
            learner=place.learner,
            coach=offer.coach,
            metric=before.metric,
            score=offer.score,
            parts=offer.parts,
            follows=before,
            **carried,
        ),
        now=now,
    )


# What a learner keeps when another coach goes on with them.
CARRIED = (
    "baseline", "baseline_se", "peer_mean", "tau2", "sigma2", "target", "stretch",
    "target_formula", "counts_from", "test_date",
)  # fmt: skip


def _sit_down(cohort: Cohort, pair: Pair) -> None:
    """
    Store a pair on the coach's lowest free seat.

    :raises NoSeat:
    """
    full = NoSeat(
        said("%(name)s has no free seat by now. Choose another coach.", name=pair.coach.name)
    )
    # Locked until the end: of two who want the last seat, the second one finds it taken.
    Person.objects.select_for_update().get(pk=pair.coach_id)
    if not _seats_left(cohort, pair.coach):
        raise full
    busy = set(Pair.objects.active().filter(coach=pair.coach).values_list("slot", flat=True))
    pair.slot = launches.lowest_free(busy, 1)[0]
    try:
        with transaction.atomic():
            pair.save()
    except IntegrityError as clash:
        raise full from clash


def _seats_left(cohort: Cohort, coach: Person) -> int:
    plan = cohort.plans.filter(state=Plan.State.LAUNCHED).first()
    capacity = (plan.capacities if plan else {}).get(coach.public_id, coach.capacity)
    return capacity - Pair.objects.active().filter(coach=coach).count()


def _carry_over(before: Pair, pair: Pair) -> None:
    """The looks so far, and every change of the target that they were taken under."""
    for model in (Look, TargetChange):
        rows = list(model.objects.filter(pair=before))
        for row in rows:
            row.pk, row.pair = None, pair
        model.objects.bulk_create(rows)


@transaction.atomic
def drop(*, waiting: Waiting, note: str, by: Person, now: datetime) -> None:
    """
    Somebody does not wait any more, openly and with a reason; the cohort may close by it.

    :raises NoReason, Settled:
    """
    if not note.strip():
        raise NoReason
    Cohort.objects.select_for_update().get(pk=waiting.cohort_id)
    place = Waiting.objects.filter(pk=waiting.pk, settled_at=None)
    if place.update(settled_at=now, outcome=Waiting.Outcome.DROPPED, note=note.strip()[:300]) != 1:
        raise Settled
    learner, cohort = waiting.learner, waiting.cohort
    if waiting.after_id:
        # Who never had a coach here was not told that they wait either.
        outbox.tell(
            [
                messages.notice_of(
                    learner,
                    said(
                        "No further coach is being looked for at present. Raise your hand "
                        "whenever you would like one."
                    ),
                    link="/me/",
                    key=f"drp:{waiting.pk}:{learner.public_id}",
                )
            ],
            now=now,
        )
    audit.record(
        "no longer waits for a coach", cohort, by=by, now=now, team=cohort.team,
        person=learner.public_id, note=note.strip(),
    )  # fmt: skip
    cohorts.close_if_finished(cohort, now=now)
