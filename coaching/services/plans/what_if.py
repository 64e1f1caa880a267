"""What another choice would cost, before anybody makes it. Nothing here is stored."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from coaching.domain import matching
from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import DraftPair, Metric, Person, Plan, Rule
from coaching.services.plans import changes, sentences, steps
from coaching.services.plans.background import people_beside
from coaching.services.plans.moves import Before, moves
from coaching.services.plans.question import Question, question_of
from coaching.services.plans.refusals import BeingSolved, NotInPlan, RulesContradict, TooLarge
from coaching.services.plans.solving import Solved, solve_question
from coaching.services.plans.wishes import Ruling, Wishes

FLOORS = 10
# Prices of one learner that are found by solving anew, where no exchange tells them.
MOST_TRIES = 25


@dataclass(frozen=True)
class Offer:
    """
    A coach for a learner, and what insisting on them would cost the whole plan, exactly.

    lost_seats comes before lost_score; with seats lost, score may be won (a negative loss).

    metric : the skill the two would work on
    moves : (learner, from or None, to or None) of everybody who would change, the learner first
    left_without : who would have no coach any more
    here : whether the plan has this pair
    why_not : why the two cannot be a pair, where they cannot
    exact : False where only a bound is told: with several coaches for somebody, for the dearest
    """

    coach: Person
    metric: Metric | None
    score: int
    parts: list[dict]
    possible: bool
    here: bool
    pinned: bool
    lost_seats: int = 0
    lost_score: int = 0
    moves: list[tuple[Person, Person | None, Person | None]] = field(default_factory=list)
    left_without: list[Person] = field(default_factory=list)
    why_not: str = ""
    exact: bool = True


@dataclass(frozen=True)
class NextLearner:
    """Whom a coach could take at least cost, in place of or beside those they have."""

    coach: Person
    learner: Person
    score: int


@dataclass(frozen=True)
class Prices:
    """offers : the learner's present coaches first, then by what insisting would cost"""

    learner: Person
    offers: list[Offer]
    next_learners: list[NextLearner] = field(default_factory=list)


@dataclass(frozen=True)
class Price:
    lost_seats: int
    lost_score: int
    refused: str = ""
    moves: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class Floor:
    """What a plan would be in which no pair scores less than `floor`."""

    floor: int
    matched: int
    total: int
    worst: int
    here: bool = False


def prices(plan: Plan, learner: Person) -> Prices:
    """
    Every coach of the plan for one learner.

    :raises NotInPlan, BeingSolved, RulesContradict: the latter when people changed meanwhile, so
        that the plan's own rules cannot hold any more
    """
    solved = _solved(plan, learner)
    question = solved.question
    rows = question.rows_of.get(learner.public_id)
    if not rows:
        raise NotInPlan(said("%(name)s is not a learner in this plan.", name=learner.name))
    best: dict[int, Offer] = {}
    for row in rows:
        for at, offer in _offers(solved, row).items():
            if at not in best or _order(offer) < _order(best[at]):
                best[at] = offer
    offers = sorted(best.items(), key=lambda entry: (*_order(entry[1]), entry[0]))
    return Prices(
        learner=question.rows[rows[0]],
        offers=[offer for _, offer in offers],
        next_learners=_next_learners(solved, rows),
    )


def _solved(plan: Plan, person: Person | None = None) -> Solved:
    """
    The plan solved anew, as it stands; the same people and wishes give the same plan. Of a large
    one only the part that the person is in, which nobody outside has a say in.
    """
    if plan.queued_at is not None:
        raise BeingSolved
    only = None
    if steps.size_of(plan) > steps.MOST_AT_ONCE:
        if person is None:
            raise TooLarge
        only = people_beside(plan, person)
    return solve_question(question_of(plan, now=_moment(plan), only=only))


def _moment(plan: Plan) -> datetime:
    """What the plan was solved for, so that working hours are compared in the same week."""
    return plan.solved_at or plan.created_at


def _order(offer: Offer) -> tuple:
    return (not offer.here, not offer.possible, offer.lost_seats, offer.lost_score, -offer.score)


def _offers(solved: Solved, row: int) -> dict[int, Offer]:
    """{coach's position: Offer} for one row."""
    question = solved.question
    base = _with_a_place(solved, row)
    found = matching.Exchanges(base.problem, base.answer).regret(row)
    everybody = np.arange(len(question.coaches))
    at_row = np.full(everybody.size, row)
    scores = question.found.scores.pairs(at_row, everybody)
    parts = question.parts(at_row, everybody)
    pinned = {coach for one, coach in question.pinned if one == row}
    tries = MOST_TRIES
    offers = {}
    # The cheapest first: where a price has to be found by solving anew, theirs is the exact one.
    order = np.lexsort((-scores, found.lost_score, found.lost_seats, ~found.possible))
    for at in order.tolist():
        focus = question.found.focus[row, at]
        offer = Offer(
            coach=question.coaches[at],
            metric=question.metrics[focus] if question.candidate[row, at] else None,
            score=int(scores[at]),
            parts=parts[at],
            possible=True,
            here=solved.coach_of.get(row) == at,
            pinned=at in pinned,
        )
        if offer.here:
            offers[at] = offer
        elif why_not := question.why_not(row, at) or _ruled_out(question, row, at):
            offers[at] = replace(offer, possible=False, why_not=why_not)
        elif _told_by_exchange(solved, found, at):
            offers[at] = _by_exchange(solved, base, found, at, offer)
        elif tries or not found.possible[at]:
            tries = max(tries - 1, 0)
            offers[at] = _by_pinning(solved, row, at, offer)
        else:
            offers[at] = replace(_by_exchange(solved, base, found, at, offer), exact=False)
    return offers


def _with_a_place(solved: Solved, row: int) -> Solved:
    """
    The plan in which this row has a place, if only the lot keeps it from one: it comes first then.
    """
    if solved.place is None or solved.problem.demand[row]:
        return solved
    place = solved.place + 1
    place[row] = 0
    demand = matching.draw(solved.asked, place).astype(np.int64)
    problem = replace(solved.asked, demand=demand)
    return Solved(solved.question, solved.asked, problem, matching.solve(problem), place)


def _ruled_out(question: Question, row: int, coach: int) -> str:
    """Which of the manager's rules stands against a pair; empty when none does."""
    learner, other = question.rows[row].name, question.coaches[coach].name
    if any(rule.kind == Rule.Kind.FORBID for rule in _rules_on(question, row, coach)):
        return said(sentences.YOU_KEEP_APART, coach=other, learner=learner)
    mine = [at for one, at in question.pinned if one == row]
    if mine:
        mine_is = question.coaches[mine[0]].name
        return said(sentences.YOU_PINNED, learner=learner, coach=mine_is)
    pins = sum(at == coach for _, at in question.pinned)
    if question.seats[coach] <= pins:
        if pins:
            return said("Every seat of %(coach)s is pinned to somebody.", coach=other)
        return said("%(coach)s has no seat left.", coach=other)
    return ""


def _rules_on(question: Question, row: int, coach: int) -> list[Ruling]:
    both = (question.rows[row].public_id, question.coaches[coach].public_id)
    return [rule for rule in question.wishes.rules if (rule.learner, rule.coach) == both]


def _told_by_exchange(solved: Solved, found: matching.Regret, at: int) -> bool:
    """
    Whether the cheapest exchange is what solving with a pin would give.

    With a lot it is as long as everybody drawn keeps a seat; who has several coaches could come
    to have one of them twice.
    """
    if solved.question.several:
        return False
    return bool(found.possible[at]) and (solved.place is None or not found.lost_seats[at])


def _by_exchange(
    solved: Solved, base: Solved, found: matching.Regret, at: int, offer: Offer
) -> Offer:
    seats = dict(base.coach_of)
    for move in found.moves(at):
        if move.takes == matching.NOBODY:
            seats.pop(move.learner, None)
        else:
            seats[move.learner] = move.takes
    lost = np.subtract(solved.worth, base.worth)
    return replace(
        offer,
        lost_seats=int(lost[0] + found.lost_seats[at]),
        lost_score=int(lost[1] + found.lost_score[at]),
        **_changed(solved, seats, found.learner),
    )


def _by_pinning(solved: Solved, row: int, at: int, offer: Offer) -> Offer:
    question = solved.question
    learner, coach = question.rows[row].public_id, offer.coach.public_id
    pinned = question.wishes.ruled(Ruling(Rule.Kind.PIN.value, learner, coach))
    try:
        other = solve_question(replace(question, wishes=pinned))
    except RulesContradict as refusal:
        return replace(offer, possible=False, why_not=refusal.message)
    lost = np.subtract(solved.worth, other.worth)
    return replace(
        offer,
        lost_seats=int(lost[0]),
        lost_score=int(lost[1]),
        **_changed(solved, other.coach_of, row),
    )


def _changed(solved: Solved, seats: dict[int, int], first: int) -> dict[str, list]:
    """`moves` and `left_without` from the plan to another one, given as {row: coach}."""
    question = solved.question
    rows = [row for row in range(len(question.rows)) if solved.coach_of.get(row) != seats.get(row)]
    rows.sort(key=lambda row: (row != first, row))

    def coach(at: int | None) -> Person | None:
        return None if at is None else question.coaches[at]

    return {
        "moves": [
            (question.rows[row], coach(solved.coach_of.get(row)), coach(seats.get(row)))
            for row in rows
        ],
        "left_without": [
            question.rows[row] for row in rows if row in solved.coach_of and row not in seats
        ],
    }


def _next_learners(solved: Solved, rows: list[int]) -> list[NextLearner]:
    question = solved.question
    exchanges = matching.Exchanges(solved.problem, solved.answer)
    found = []
    for coach in dict.fromkeys(solved.coach_of[row] for row in rows if row in solved.coach_of):
        other = exchanges.runner_up_learner(coach)
        if other != matching.NOBODY:
            score = int(question.found.scores.pairs([other], [coach])[0])
            found.append(NextLearner(question.coaches[coach], question.rows[other], score))
    return found


def swap_price(plan: Plan, one: DraftPair, other: DraftPair) -> Price:
    """What the plan loses if the two learners exchange coaches."""
    try:
        changes.check_swap(one, other)
    except RulesContradict as refusal:
        return Price(0, 0, refused=refusal.message)
    return trial(plan, changes.swapping(one, other))


def rule_price(plan: Plan, *, kind: str, learner: Person, coach: Person) -> Price:
    """What a rule would cost, without making it."""
    try:
        changes.check_rule(plan, learner, coach)
    except CoachingError as refusal:
        return Price(0, 0, refused=refusal.message)
    rule = Ruling(str(kind), learner.public_id, coach.public_id)
    return trial(plan, lambda wishes: wishes.ruled(rule))


def trial(plan: Plan, edit: steps.Edit) -> Price:
    """
    What the plan loses with other wishes, who moves and why; nothing is stored.

    :raises BeingSolved, TooLarge:
    """
    if plan.queued_at is not None:
        raise BeingSolved
    if steps.size_of(plan) > steps.MOST_AT_ONCE:
        raise TooLarge
    wishes = Wishes.of(plan)
    try:
        solved = solve_question(question_of(plan, edit(wishes), now=_moment(plan)))
    except RulesContradict as refusal:
        return Price(0, 0, refused=refusal.message)
    return Price(
        lost_seats=plan.matched - solved.answer.matched,
        lost_score=plan.total - solved.answer.total,
        moves=moves(Before.of(plan, wishes), solved),
    )


def floors(plan: Plan) -> list[Floor]:
    """
    What about ten floors would cost: the one the plan has, the highest that leaves nobody more
    without a coach, and others evenly between and beyond.

    :raises BeingSolved, TooLarge, RulesContradict:
    """
    solved = _solved(plan)
    free = _at_floor(solved, 0)
    edges = free.asked
    best = np.zeros(edges.learners, dtype=np.int64)
    np.maximum.at(best, edges.learner, edges.score)
    highest = int(np.quantile(best[best > 0], 0.9)) if (best > 0).any() else 0
    keeps = _highest_that_keeps(free)
    lowest = free.answer.worst or 0
    asked = {0, plan.floor, keeps, *np.linspace(lowest, highest, FLOORS - 3).astype(int).tolist()}
    found = []
    for floor in sorted(asked):
        try:
            answer = _at_floor(solved, floor).answer
        except RulesContradict:
            break  # a pinned pair lies below, and below every higher one
        found.append(
            Floor(floor, answer.matched, answer.total, answer.worst or 0, floor == plan.floor)
        )
    return found


def _at_floor(solved: Solved, floor: int) -> Solved:
    question = solved.question
    return solve_question(replace(question, wishes=replace(question.wishes, floor=floor)))


def _highest_that_keeps(free: Solved) -> int:
    """The highest floor at which as many are matched as without one (binary search)."""
    scores = np.unique(free.asked.score)
    low, high = 0, scores.size
    while low < high:
        middle = (low + high) // 2
        try:
            kept = _at_floor(free, int(scores[middle])).answer.matched == free.answer.matched
        except RulesContradict:
            kept = False
        low, high = (middle + 1, high) if kept else (low, middle)
    return int(scores[low - 1]) if low else 0
