"""Who moved from one plan to the next, and why, in a sentence each."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from coaching.models import Plan, Rule
from coaching.services.plans import sentences
from coaching.services.plans.solving import Solved
from coaching.services.plans.wishes import Wishes

Seat = tuple[int, str]


@dataclass(frozen=True)
class Before:
    """
    A plan as it stood: its wishes, and each learner's seats.

    seats : learner's person id -> [(coach's person id, metric's name)]
    names : of everybody in it, by person id
    """

    wishes: Wishes
    seats: dict[int, list[Seat]]
    names: dict[int, str]

    @classmethod
    def of(cls, plan: Plan, wishes: Wishes, only: Collection[int] | None = None) -> "Before":
        """only : ids of the learners to look at, when not all"""
        pairs = plan.draft_pairs.order_by("pk")
        if only is not None:
            pairs = pairs.filter(learner__in=list(only))
        rows = pairs.values_list(
            "learner_id", "coach_id", "metric__name", "learner__name", "coach__name"
        )
        seats, names = defaultdict(list), {}
        for learner, coach, metric, who, by in rows:
            seats[learner].append((coach, metric))
            names[learner], names[coach] = who, by
        return cls(wishes, dict(seats), names)


def moves(before: Before, solved: Solved) -> list[dict]:
    """[{"learner", "metric", "from", "to", "why"}, ...], names as read; see `PlanStep.moves`."""
    return _Story(before, solved).told()


class _Story:
    def __init__(self, before: Before, solved: Solved) -> None:
        self.before, self.solved, self.question = before, solved, solved.question
        question = self.question
        self.now: dict[int, list[Seat]] = defaultdict(list)
        for row, coach in solved.answer.pairs:
            metric = question.metrics[question.found.focus[row, coach]]
            self.now[question.rows[row].pk].append((question.coaches[coach].pk, metric.name))
        self.coach_at = {person.pk: at for at, person in enumerate(question.coaches)}
        self.names = {
            **before.names,
            **{person.pk: person.name for person in [*question.rows, *question.coaches]},
        }
        self.changes = self._changes()
        # Who came to each coach and who left them, in the order of the learners.
        self.came, self.left = defaultdict(list), defaultdict(list)
        for learner, _, old, new in self.changes:
            if new is not None:
                self.came[new].append(learner)
            if old is not None:
                self.left[old].append(learner)
        self.old_rules = {(rule.learner, rule.coach): rule.kind for rule in before.wishes.rules}
        self.new_rules = {(rule.learner, rule.coach): rule.kind for rule in question.wishes.rules}
        self.ids = {person.pk: person.public_id for person in [*question.rows, *question.coaches]}

    def _changes(self) -> list[tuple[int, str, int | None, int | None]]:
        """(learner, metric, coach before, coach now) for each seat that changed."""
        found = []
        for learner in sorted({*self.before.seats, *self.now}):
            old, new = (list(side.get(learner, ())) for side in (self.before.seats, self.now))
            for seat in list(old):
                if seat in new:
                    old.remove(seat)
                    new.remove(seat)
            # The same skill first; what is left over belongs together anyhow.
            for coach, metric in list(old):
                same = next((seat for seat in new if seat[1] == metric), None)
                if same:
                    new.remove(same)
                    old.remove((coach, metric))
                    found.append((learner, metric, coach, same[0]))
            for at in range(max(len(old), len(new))):
                here = old[at] if at < len(old) else None
                there = new[at] if at < len(new) else None
                found.append(
                    (
                        learner,
                        (there or here)[1],
                        here[0] if here else None,
                        there[0] if there else None,
                    )
                )
        return [change for change in found if change[2] != change[3]]

    def told(self) -> list[dict]:
        return [
            {
                "learner": self.names[learner],
                "metric": metric,
                "from": self.names[old] if old is not None else None,
                "to": self.names[new] if new is not None else None,
                "why": self._why(learner, old, new),
            }
            for learner, metric, old, new in self.changes
        ]

    def _why(self, learner: int, old: int | None, new: int | None) -> str:
        who = self.names[learner]
        if learner not in self.ids:
            reason = self.question.wishes.left_out.keys() - self.before.wishes.left_out.keys()
            return (sentences.GONE if reason else sentences.DESELECTED) % {"person": who}
        if new is not None and self._newly(Rule.Kind.PIN, learner, new):
            return sentences.YOU_PINNED % {"learner": who, "coach": self.names[new]}
        pushed, landed = self._pushed(learner, old, new), self._landed(learner, old, new)
        # Two halves of one sentence.
        return f"{pushed[:-1]}; {landed}".strip() if pushed else landed

    def _newly(self, kind: str, learner: int, coach: int) -> bool:
        key = (self.ids.get(learner, ""), self.ids.get(coach, ""))
        # A rule about somebody left out had nothing to say.
        silent = any(one in self.before.wishes.left_out for one in key)
        return self.new_rules.get(key) == kind and (silent or self.old_rules.get(key) != kind)

    def _pushed(self, learner: int, old: int | None, new: int | None) -> str:
        """What set this move going: how the old seat was lost, or the new one became free."""
        who = self.names[learner]
        if old is None:
            return self._opened(new)
        coach = self.names[old]
        if old not in self.coach_at:
            return sentences.GONE % {"person": coach}
        if self._newly(Rule.Kind.FORBID, learner, old):
            return sentences.YOU_KEEP_APART % {"coach": coach, "learner": who}
        row = self.question.rows_of[self.ids[learner]][0]
        why = self.question.why_not(row, self.coach_at[old])
        if why:
            return why
        rivals = [rival for rival in self.came[old] if rival != learner]
        load = Counter(coach for seats in self.now.values() for coach, _ in seats)
        full = load[old] >= self.question.seats[self.coach_at[old]]
        if full and rivals:
            return self._seat_went(rivals[0], old)
        if full:
            return sentences.FEWER_SEATS % {"coach": coach}
        return self._opened(new)

    def _seat_went(self, rival: int, coach: int) -> str:
        names = {"coach": self.names[coach], "rival": self.names[rival]}
        if self._newly(Rule.Kind.PIN, rival, coach):
            return sentences.SEAT_TO_PINNED % names
        came_from = next((old for one, _, old, new in self.changes if (one, new) == (rival, coach)))
        if came_from is None:
            return sentences.SEAT_TO_NEW % names
        return sentences.SEAT_TO_OTHER % {**names, "other": self.names[came_from]}

    def _opened(self, new: int | None) -> str:
        if new is None:
            return ""
        coach = self.names[new]
        gone = self.left[new]
        if gone:
            return sentences.LEFT_A_SEAT % {"rival": self.names[gone[0]], "coach": coach}
        seats = [
            wishes.capacities.get(self.ids[new], self.question.coaches[self.coach_at[new]].capacity)
            for wishes in (self.before.wishes, self.question.wishes)
        ]
        if seats[1] > seats[0]:
            return sentences.MORE_SEATS % {"coach": coach}
        return sentences.SEAT_FREE % {"coach": coach}

    def _landed(self, learner: int, old: int | None, new: int | None) -> str:
        """Why the new place is this one."""
        names = {"learner": self.names[learner]}
        if new is None:
            if not self.question.rows_of[self.ids[learner]]:
                return ""
            return sentences.NO_SEAT_LEFT % names
        if old is None and not self.before.seats.get(learner):
            return sentences.HAD_NOBODY % names
        names["coach"] = self.names[new]
        if self._strongest(learner, old, new):
            return sentences.STRONGEST_NEXT % names
        return sentences.BEST_FOR_ALL % names

    def _strongest(self, learner: int, old: int | None, new: int) -> bool:
        """Whether nobody but the old coach would score more with this learner."""
        question = self.question
        for row in question.rows_of[self.ids[learner]]:
            if self.solved.coach_of.get(row) != self.coach_at[new]:
                continue
            score = question.found.scores.block(row, row + 1)[0]
            open_ = question.candidate[row].copy()
            open_[[at for one, at in question.forbidden if one == row]] = False
            if old in self.coach_at:
                open_[self.coach_at[old]] = False
            return bool(score[self.coach_at[new]] >= score[open_].max(initial=-1))
        return False
