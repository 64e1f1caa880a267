"""From a question to the one optimum, and its rows."""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

import numpy as np

from coaching.domain import matching
from coaching.domain.matching.problem import in_words
from coaching.domain.said import said_together
from coaching.models import DraftPair, Plan, Unpaired
from coaching.services.plans import sentences
from coaching.services.plans.question import Question
from coaching.services.plans.refusals import RulesContradict

# Runner-ups of larger plans are worked out when a pair is looked at, not stored.
MOST_PRICED = 2_000
# So many plans are tried for the best way to give learners two coaches; then the best so far is
# followed to its end.
MOST_TRIED = 48

# So many of those who compete for seats are kept with each who waits; the reason counts them all.
MOST_KEPT = 200

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Solved:
    """
    asked : the problem as it was put, with what keeps a learner's coaches apart
    problem : the same, with those without a place in the lot left aside
    place : (rows,), places in the lot from 0, or None without a lot
    """

    question: Question
    asked: matching.Problem
    problem: matching.Problem
    answer: matching.Plan
    place: np.ndarray | None

    @property
    def worth(self) -> tuple[int, int]:
        return self.answer.matched, self.answer.total

    @cached_property
    def unfilled(self) -> np.ndarray:
        """(rows,), wishes left open, those that lost the lot among them."""
        taken = np.bincount(self.answer.learner, minlength=self.asked.learners)
        return self.asked.demand - taken

    @cached_property
    def coach_of(self) -> dict[int, int]:
        return dict(self.answer.pairs)


def solve_question(question: Question) -> Solved:
    """
    The optimum under all rules: most learners, highest total, best weakest, evenest load.

    A learner with a row for each of two skills must not get one coach for both. Where that
    happens, both ways out are tried, each an optimum of its own: this coach not for the one
    skill, or not for the other. The better plan is followed up first, so that the first one
    without such a learner is the best there is (Land & Doig 1960).

    :raises RulesContradict:
    """
    wrong = question.contradictions()
    if wrong:
        raise RulesContradict(said_together(wrong))
    turn = count()
    waiting = [(_rank(first := _attempt(question, ())), next(turn), (), first)]
    for tried in count(1):
        _, _, apart, solved = heapq.heappop(waiting)
        twice = _coached_twice(solved)
        if twice is None:
            return solved
        if tried >= MOST_TRIED:
            waiting = []
        for pair in twice:
            more = (*apart, pair)
            found = _attempt(question, more)
            heapq.heappush(waiting, (_rank(found), next(turn), more, found))
    raise AssertionError("The search ends with a plan.")


def _rank(solved: Solved) -> tuple[int, int, int]:
    return -solved.answer.matched, -solved.answer.total, -(solved.answer.worst or 0)


def _attempt(question: Question, apart: Pairs) -> Solved:
    asked = question.problem
    if apart:
        asked = replace(asked, forbidden=[*question.forbidden, *apart])
    problem, place = asked, None
    if question.wishes.lot is not None:
        place = places(question, question.wishes.lot)
        problem = replace(asked, demand=matching.draw(asked, place).astype(np.int64))
    return Solved(question, asked, problem, matching.solve(problem), place)


def places(question: Question, seed: int) -> np.ndarray:
    """
    Places in the lot (rows,), 0 first: a hash of the seed and each learner's public id decides.

    Nobody's second coach comes before somebody else's first.
    """
    place = _lot(question, seed)
    turn = {
        row: turn * len(place)
        for rows in question.rows_of.values()
        for turn, row in enumerate(rows)
    }
    return np.array(
        [turn[row] + place[person.public_id] for row, person in enumerate(question.rows)],
        dtype=np.int64,
    )


def _lot(question: Question, seed: int) -> dict[str, int]:
    """Everybody's place by public id, 0 first."""

    def drawn(public_id: str) -> bytes:
        return hashlib.sha256(f"{seed}:{public_id}".encode()).digest()

    return {one: place for place, one in enumerate(sorted(question.drawn, key=drawn))}


def _coached_twice(solved: Solved) -> list[tuple[int, int]] | None:
    """(row, coach) of the first learner with one coach for two skills; pins are not given up."""
    question = solved.question
    for learner in question.wishes.wants:
        rows = [row for row in question.rows_of.get(learner, ()) if row in solved.coach_of]
        by_coach = defaultdict(list)
        for row in rows:
            by_coach[solved.coach_of[row]].append((row, solved.coach_of[row]))
        for found in by_coach.values():
            if len(found) > 1:
                free = [pair for pair in found if pair not in question.pinned]
                return free[:2]
    return None


# -- rows -------------------------------------------------------------------------------------


def draft_pairs(plan: Plan, solved: Solved) -> list[DraftPair]:
    question, answer = solved.question, solved.answer
    feasible = np.bincount(solved.asked.learner, minlength=solved.asked.learners)
    parts = question.parts(answer.learner, answer.coach)
    rows = [
        DraftPair(
            plan=plan,
            learner=question.rows[learner],
            coach=question.coaches[coach],
            metric=question.metrics[question.found.focus[learner, coach]],
            score=score,
            parts=parts[at],
            feasible_coaches=int(feasible[learner]),
            pinned=pinned,
        )
        for at, (learner, coach, score, pinned) in enumerate(_columns(answer))
    ]
    if answer.matched <= MOST_PRICED:
        _price(rows, solved)
    return rows


def _columns(answer: matching.Plan) -> Iterator[tuple[int, int, int, bool]]:
    columns = (answer.learner, answer.coach, answer.score, answer.pinned)
    return zip(*(column.tolist() for column in columns), strict=True)


def _price(rows: list[DraftPair], solved: Solved) -> None:
    """Write each pair's runner-up and what insisting on it would cost the whole plan."""
    question, answer = solved.question, solved.answer
    others = matching.runners_up(solved.problem, answer)
    some = np.flatnonzero(others.coach != matching.NOBODY)
    scores = question.found.scores.pairs(answer.learner[some], others.coach[some])
    for at, score in zip(some.tolist(), scores.tolist(), strict=True):
        row = rows[at]
        row.runner_up = question.coaches[others.coach[at]]
        row.runner_up_score = score
        row.runner_up_unmatches = bool(others.lost_seats[at])
        # Somebody else's place can be lost and score be won by it; a cost is never below 0.
        row.runner_up_cost = max(int(others.lost_score[at]), 0)


def unpaired(plan: Plan, solved: Solved) -> list[Unpaired]:
    """Each learner with an open wish, once, with the reason for every skill that is open."""
    question = solved.question
    waiting = np.flatnonzero(solved.unfilled > 0).tolist()
    if not waiting:
        return []
    told = replace(solved.answer, unfilled=solved.unfilled)
    shortages = matching.Shortages(solved.asked, told, name=question.name)
    some = np.bincount(solved.asked.learner, minlength=solved.asked.learners) > 0
    found: dict[int, Unpaired] = {}
    for row in waiting:
        person = question.rows[row]
        entry = found.setdefault(person.pk, Unpaired(plan=plan, learner=person, reason=""))
        if some[row]:
            why = shortages.why(row)
            reason = why.reason
            _note_shortage(entry, question, why)
        else:
            reason = question.why_nobody(row)
        if solved.place is not None:
            everybody = len(question.drawn)
            entry.place = int(solved.place[row]) % everybody + 1
            if entry.scarce:
                drawn = sentences.BY_LOT_HERE % {"place": entry.place, "number": everybody}
                reason = f"{reason} {drawn}"
        entry.reason = f"{entry.reason} {reason}".strip()
    for entry in found.values():
        _note_what_they_have(entry, solved)
    return list(found.values())


def _note_shortage(entry: Unpaired, question: Question, why: matching.Unmatched) -> None:
    entry.scarce = True
    for field, people in (
        ("competing", [question.rows[row] for row in why.competing_learners[:MOST_KEPT]]),
        ("contested", [question.coaches[coach] for coach in why.contested_coaches[:MOST_KEPT]]),
    ):
        ids = [*getattr(entry, field), *(person.public_id for person in people)]
        setattr(entry, field, list(dict.fromkeys(ids))[:MOST_KEPT])
    entry.seats = max(entry.seats, why.seats)


def _note_what_they_have(entry: Unpaired, solved: Solved) -> None:
    question = solved.question
    rows = question.rows_of[entry.learner.public_id]
    have = [row for row in rows if row in solved.coach_of]
    if have:
        skills = [
            question.metrics[question.found.focus[row, solved.coach_of[row]]].name for row in have
        ]
        has = sentences.HAS_SOME % {"learner": entry.learner.name, "skills": in_words(skills)}
        entry.reason = f"{has} {entry.reason}"
