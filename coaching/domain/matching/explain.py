"""Why somebody is left out, and the smallest cure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from coaching.domain.matching.problem import (
    Bools,
    Ints,
    Naming,
    Plan,
    Problem,
    by_number,
    in_words,
    plural,
    upper,
)
from coaching.domain.said import sentence

# What the reasons are made of: who competes for what; and what would help, after a semicolon.
# Reasons are stored with a plan, so a page finds these clauses again to say them in its language.
NOBODY_OPEN = sentence("No coach is open to %(learner)s")
NOBODY_ELSE_OPEN = sentence("No other coach is open to %(learner)s")
ALL_FORBIDDEN = sentence("No coach is open to %(learner)s: every candidate is forbidden")
ALL_OTHERS_FORBIDDEN = sentence(
    "No other coach is open to %(learner)s: every other candidate is forbidden"
)
ONE_FULL = sentence("%(coaches)s, the only choice of %(learner)s, has no seat left")
ALL_FULL = sentence("%(coaches)s, the only choices of %(learner)s, have no seat left")
OTHER_ONE_FULL = sentence("%(coaches)s, the only other choice of %(learner)s, has no seat left")
OTHERS_FULL = sentence("%(coaches)s, the only other choices of %(learner)s, have no seat left")
COMPETE = sentence("%(learners)s compete for the %(seats)s of %(coaches)s")
PLACES_THEM = sentence("%(cures)s would place %(learner)s.")
PLACES_ONE = sentence("%(cures)s would place one more of them.")
SEAT_THERE = sentence("one more seat there")
SEAT_AT_EITHER = sentence("one more seat at either")
SEAT_AT_ANY = sentence("one more seat at any of them")
NO_RULE = sentence("lifting the rule that forbids %(learner)s with %(coach)s")
EITHER_CURE = sentence("%(cure)s or %(other_cure)s")
CLAUSES = (
    NOBODY_OPEN, NOBODY_ELSE_OPEN, ALL_FORBIDDEN, ALL_OTHERS_FORBIDDEN, ONE_FULL, ALL_FULL,
    OTHER_ONE_FULL, OTHERS_FULL, COMPETE, PLACES_THEM, PLACES_ONE,
)  # fmt: skip
CURES = (SEAT_THERE, SEAT_AT_EITHER, SEAT_AT_ANY, NO_RULE, EITHER_CURE)

MOST_NAMED = 12  # coaches; beyond, a sentence counts them and the list stands beside it


@dataclass(frozen=True, kw_only=True)
class Unmatched:
    """
    Why a learner has fewer coaches than wanted, and the smallest cures.

    competing_learners, contested_coaches : positions; these learners have no other way out
    seats : open seats (capacity without pins) of the contested coaches
    one_more_seat_at : coaches, any one of whose seats would place one more learner
    lift_one_of : forbidden (learner, coach) pairs, any one of which would do the same
    reason : the same as a sentence
    """

    learner: int
    competing_learners: list[int]
    contested_coaches: list[int]
    seats: int
    one_more_seat_at: list[int]
    lift_one_of: list[tuple[int, int]]
    reason: str


class Shortages:
    """
    Who competes for what in a plan that leaves wishes open; built once, it answers for everybody.

    From learners along candidates to coaches, and from coaches to the learners they hold: whoever
    is reached from a learner with an open wish competes for whatever is reached (the deficient
    set of Hall's theorem).
    """

    def __init__(self, problem: Problem, plan: Plan, *, name: Naming = by_number) -> None:
        self.problem, self.plan, self.name = problem, plan, name
        n, m = problem.learners, problem.coaches
        key = problem.learner * m + problem.coach
        self.barred = np.isin(key, problem.forbidden[:, 0] * m + problem.forbidden[:, 1])
        pinned = np.isin(key, problem.pinned[:, 0] * m + problem.pinned[:, 1])
        held = np.isin(key, plan.learner * m + plan.coach)
        # Coaches without a seat count too: a seat there would help as much as anywhere.
        usable = ~self.barred & ~pinned
        tail = np.where(held, n + problem.coach, problem.learner)[usable]
        head = np.where(held, problem.learner, n + problem.coach)[usable]
        self.exchanges = csr_array((np.ones(tail.size), (tail, head)), shape=(n + m, n + m))
        self.open_seats = problem.capacity - np.bincount(problem.pinned[:, 1], minlength=m)
        leads = _leads_to(self.exchanges, n + np.flatnonzero(plan.load < problem.capacity))
        # The rules whose coach has, or can make, an idle seat; the others lead nowhere.
        rule = np.flatnonzero(self.barred & leads[n + problem.coach])
        rule = rule[np.lexsort((problem.coach[rule], problem.learner[rule]))]
        self.rule_learner, self.rule_coach = problem.learner[rule], problem.coach[rule]
        self.has_barred, self.has_some = np.zeros((2, n), dtype=bool)
        self.has_barred[problem.learner[self.barred]] = True
        self.has_some[plan.learner] = True
        # Nodes of one ring reach the same, and one search tells for all of them.
        self.ring = connected_components(self.exchanges, connection="strong")[1]
        self.behind: dict[bytes, tuple[Ints, Ints]] = {}

    def why(self, learner: int) -> Unmatched:
        """Explain one learner's open wish; see ``why_unmatched``."""
        if self.plan.unfilled[learner] <= 0:
            raise ValueError(f"{self.name('learner', learner)} has every coach they want.")
        others, contested = self._behind(learner)
        rivals = np.union1d(others, learner)
        lift = np.isin(self.rule_learner, rivals)
        pairs = list(
            zip(self.rule_learner[lift].tolist(), self.rule_coach[lift].tolist(), strict=True)
        )
        seats = int(self.open_seats[contested].sum())
        return Unmatched(
            learner=learner,
            competing_learners=rivals.tolist(),
            contested_coaches=contested.tolist(),
            seats=seats,
            one_more_seat_at=contested.tolist(),
            lift_one_of=pairs,
            reason=_sentence(
                self.name,
                learner,
                rivals.tolist(),
                contested.tolist(),
                seats=seats,
                waiting=int(self.plan.unfilled[rivals].sum()),
                lift=pairs,
                barred=bool(self.has_barred[learner]),
                other=bool(self.has_some[learner]),
            ),
        )

    def _behind(self, learner: int) -> tuple[Ints, Ints]:
        """Which learners and coaches are reached through a learner's candidates, in order."""
        n, first = self.problem.learners, self.exchanges.indptr
        rings = np.unique(self.ring[self.exchanges.indices[first[learner] : first[learner + 1]]])
        key = rings.tobytes()
        if key not in self.behind:
            reached = np.sort(
                breadth_first_order(self.exchanges, learner, return_predecessors=False)
            )
            if self.ring[learner] not in rings:
                reached = reached[reached != learner]  # nothing leads back
            self.behind[key] = reached[reached < n], reached[reached >= n] - n
        return self.behind[key]


def why_unmatched(
    problem: Problem, plan: Plan, learner: int, *, name: Naming = by_number
) -> Unmatched:
    """
    Explain a learner with an open wish. ``Shortages`` answers for many people at once.

    :raises ValueError: if the learner has all the coaches they want
    """
    return Shortages(problem, plan, name=name).why(learner)


def _leads_to(exchanges: csr_array, goals: Ints) -> Bools:
    """Return from which nodes (nodes,) some goal can be reached."""
    size = exchanges.shape[0]
    # One more node behind every goal, so that one backward search finds all ways.
    back = exchanges.T.tocoo()
    tail = np.concatenate([back.coords[0], np.full(goals.size, size)])
    head = np.concatenate([back.coords[1], goals])
    search = csr_array((np.ones(tail.size), (tail, head)), shape=(size + 1, size + 1))
    leads = np.zeros(size + 1, dtype=bool)
    leads[breadth_first_order(search, size, return_predecessors=False)] = True
    return leads


def _sentence(
    name: Naming,
    learner: int,
    competing: list[int],
    coaches: list[int],
    *,
    seats: int,
    waiting: int,
    lift: list[tuple[int, int]],
    barred: bool,
    other: bool,
) -> str:
    me = name("learner", learner)
    places = PLACES_THEM if waiting == 1 else PLACES_ONE
    if len(coaches) > MOST_NAMED:
        names = plural(len(coaches), "coach")
    elif name is by_number and len(coaches) > 1:
        names = f"coaches {in_words([str(coach) for coach in coaches])}"
    else:
        names = in_words([name("coach", coach) for coach in coaches])
    if not coaches:
        if barred:
            clause = ALL_OTHERS_FORBIDDEN if other else ALL_FORBIDDEN
        else:
            clause = NOBODY_ELSE_OPEN if other else NOBODY_OPEN
        text = clause % {"learner": me}
    elif seats == 0:
        if len(coaches) == 1:
            clause = OTHER_ONE_FULL if other else ONE_FULL
        else:
            clause = OTHERS_FULL if other else ALL_FULL
        text = clause % {"coaches": upper(names), "learner": me}
        places = PLACES_THEM
    else:
        text = COMPETE % {
            "learners": upper(plural(len(competing), "learner")),
            "seats": plural(seats, "seat"),
            "coaches": names,
        }
    cures = []
    if coaches:
        cures.append({1: SEAT_THERE, 2: SEAT_AT_EITHER}.get(len(coaches), SEAT_AT_ANY))
    if lift:
        who, whom = lift[0]
        cures.append(NO_RULE % {"learner": name("learner", who), "coach": name("coach", whom)})
    if not cures:
        return f"{text}."
    cure = cures[0]
    if len(cures) > 1:
        cure = EITHER_CURE % {"cure": cures[0], "other_cure": cures[1]}
    return f"{text}; {places % {'cures': cure, 'learner': me}}"
