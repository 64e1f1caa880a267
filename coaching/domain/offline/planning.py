"""People with readings -> a ranking, who learns and coaches, and the optimal plan for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coaching.domain import matching, pairing, selection
from coaching.domain import ranking as engine
from coaching.domain.matching.problem import Ints
from coaching.domain.offline.reading import EVERYBODY, Material, Rule, fact
from coaching.domain.offline.wishes import Refused, Wishes
from coaching.domain.tables import MetricColumns


@dataclass(frozen=True, eq=False, kw_only=True)
class Skill:
    """A metric that counts, with its ranking."""

    metric: MetricColumns
    weight: float
    ranking: engine.MetricRanking

    @property
    def chance_alone(self) -> bool:
        """Whether noise explains all that people differ in, in every peer group."""
        spread = self.ranking.tau2_plug_in
        return not bool((np.nan_to_num(spread) > 0).any())

    @property
    def reliability(self) -> float:
        """The median over those with readings."""
        return float(np.median(self.ranking.reliability[self.ranking.observed]))

    @property
    def more_needed(self) -> float:
        """So many times the cases would bring the median person to the reliability of a label."""
        own = self.reliability
        return engine.RELIABLE / (1 - engine.RELIABLE) * (1 - own) / own if own > 0 else np.inf


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """
    Positions in `Outcome.learners` and `Outcome.coaches`.

    candidates : how many coaches could take the learner
    next_best : who would cost the plan least instead; None for nobody, and for a pin
    next_score, lost_seats, lost_score : of that pair, and what insisting on it would cost
    """

    learner: int
    coach: int
    skill: int
    score: int
    parts: list[tuple[str, int]]
    pinned: bool
    candidates: int
    next_best: int | None
    next_score: int
    lost_seats: int
    lost_score: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Waiting:
    """A learner without a coach: a position in `Outcome.learners`."""

    learner: int
    reason: str
    cure: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """
    A file, ranked, selected and planned.

    skills : the metrics with readings; `left_out` says of the others why they do not count
    chosen : by the policy alone, without hands
    policies : what each policy would choose of the same people
    learners, coaches : positions in `material.people`, ascending
    raised : positions of those who learn because of a raised hand alone
    both : positions of those whom the policy would take as coaches, but who asked to learn
    pairs : by learner
    """

    material: Material
    wishes: Wishes
    skills: list[Skill]
    left_out: list[str]
    overall: engine.CompositeRanking
    chosen: selection.Labels
    policies: dict[str, selection.Labels]
    learners: list[int]
    coaches: list[int]
    raised: list[int]
    both: list[int]
    ignored_rules: list[str]
    seats: list[int]
    plan: matching.Plan
    pairs: list[Pair]
    waiting: list[Waiting]

    @property
    def counted(self) -> list[Skill]:
        """The skills that pairs are made on."""
        return [skill for skill in self.skills if skill.weight > 0]


def plan(material: Material, wishes: Wishes) -> Outcome:
    """
    Rank, select and pair the people of a file.

    The ranked come first and raised hands are added; who learns does not coach.

    :raises Refused: for readings that cannot be ranked, and rules that cannot all hold
    """
    skills, left_out = _rank(material, wishes)
    overall = engine.composite(
        [skill.ranking for skill in skills], weights=[skill.weight for skill in skills], q=wishes.q
    )
    policies = {
        policy: selection.choose(
            policy,
            p_low=overall.p_low,
            p_high=overall.p_high,
            eligible=selection.placeable(overall.band),
            q=wishes.q,
            quota=wishes.quota,
        )
        for policy in selection.Policy
    }
    chosen = policies[wishes.policy]
    counted = [skill for skill in skills if skill.weight > 0]
    asks = _asks(material, counted)
    learns = chosen.learner | (asks != pairing.NOTHING)
    learners = np.flatnonzero(learns).tolist()
    coaches = np.flatnonzero(chosen.coach & ~learns).tolist()
    # Whom the ranking chose is worked on as the ranking says, hand or not.
    asks = np.where(chosen.learner, pairing.NOTHING, asks)
    table = _Table(material, wishes, counted, learners, coaches, asks)
    pinned, forbidden, ignored = table.rules()
    try:
        problem = table.found.problem(
            seats=table.seats,
            pinned=pinned,
            forbidden=forbidden,
            learner_ids=learners,
            coach_ids=coaches,
            name=table.name,
        )
        answer = matching.solve(problem)
    except matching.Refused as refusal:
        raise Refused([f"Sheet “{material.rules_sheet}”: {one}" for one in refusal.reasons]) from (
            refusal
        )
    return Outcome(
        material=material,
        wishes=wishes,
        skills=skills,
        left_out=left_out,
        overall=overall,
        chosen=chosen,
        policies=policies,
        learners=learners,
        coaches=coaches,
        raised=[at for at in learners if not chosen.learner[at]],
        both=np.flatnonzero(chosen.coach & learns).tolist(),
        ignored_rules=ignored,
        seats=table.seats,
        plan=answer,
        pairs=table.pairs(problem, answer),
        waiting=table.waiting(problem, answer),
    )


def _rank(material: Material, wishes: Wishes) -> tuple[list[Skill], list[str]]:
    readings, meaning = material.readings, material.meaning
    skills, left_out = [], []
    for place, (metric, weight) in enumerate(
        zip(meaning.mapping.metrics, meaning.weights, strict=True)
    ):
        here = np.flatnonzero(readings.metric == place)
        if not here.size:
            left_out.append(f"{metric.name} does not count: no row gives a value of it.")
            continue
        squares = readings.sumsq[here]
        dated = meaning.mapping.date is not None
        try:
            figures = engine.tally(
                kind=metric.kind,
                person=readings.person[here],
                n=readings.n[here],
                total=readings.sum[here],
                sumsq=None if np.isnan(squares).all() else squares,
                period=readings.period[here].astype(np.int64) if dated else None,
                people=len(material.people),
            )
            found = engine.rank_metric(
                figures,
                direction=metric.direction,
                group=material.group,
                groups=len(material.groups),
                q=wishes.q,
            )
        except engine.RankingError as refusal:
            others = [one.name for one in meaning.mapping.metrics if one is not metric]
            cure = f" Or leave it out: --metric {' '.join(map(_quoted, others))}." if others else ""
            raise Refused(f"{metric.name}: {refusal}{cure}") from refusal
        skills.append(Skill(metric=metric, weight=weight, ranking=found))
    if not any(skill.weight > 0 for skill in skills):
        raise Refused(["No metric with a weight has readings.", *left_out])
    return skills, left_out


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _asks(material: Material, counted: list[Skill]) -> Ints:
    """Per person the place among the counted skills, NOTHING for no hand."""
    metrics = material.meaning.mapping.metrics
    place = {skill.metric.key: at for at, skill in enumerate(counted)}
    return np.array(
        [
            pairing.NOTHING if ask == pairing.NOTHING else place.get(metrics[ask].key, -1)
            for ask in material.asks
        ],
        dtype=np.int64,
    )


class _Table:
    """Learners and coaches face to face."""

    def __init__(
        self,
        material: Material,
        wishes: Wishes,
        skills: list[Skill],
        learners: list[int],
        coaches: list[int],
        asks: Ints,
    ) -> None:
        self.material, self.wishes, self.skills = material, wishes, skills
        self.learners, self.coaches = learners, coaches
        self.seats = [material.seats[at] for at in coaches]
        self.found = pairing.pairing(
            need=_chances(skills, learners, "p_need"),
            skill=_chances(skills, coaches, "p_skill"),
            weights=[skill.weight for skill in skills],
            possible=self._possible(),
            asks=asks[learners] if learners else [],
            same=[
                (*pairing.codes(self._facts(learners, name), self._facts(coaches, name)), points)
                for name, points in wishes.points.items()
                if points
            ],
        )

    def name(self, role: str, index: int) -> str:
        at = (self.learners if role == "learner" else self.coaches)[index]
        return self.material.names[at]

    def _facts(self, people: list[int], name: str) -> list[str]:
        return [fact(self.material.people[at], name) for at in people]

    def _possible(self) -> np.ndarray:
        """Of one peer group, and not one's own manager."""
        group = np.array(self.material.group, dtype=np.int64)
        possible = group[self.learners][:, None] == group[self.coaches][None, :]
        people = self.material.people
        column: dict[str, list[int]] = {}
        for index, at in enumerate(self.coaches):
            for name in {people[at].email.casefold(), people[at].key.casefold()} - {""}:
                column.setdefault(name, []).append(index)
        for row, at in enumerate(self.learners):
            possible[row, column.get(people[at].manager.casefold(), [])] = False
        return possible

    def rules(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[str]]:
        """
        Pinned and forbidden pairs as positions, and the rules that have nothing to say here.

        :raises Refused: for pins that no plan of these people can hold, each with its reason
        """
        row = {at: index for index, at in enumerate(self.learners)}
        column = {at: index for index, at in enumerate(self.coaches)}
        ruled: dict[str, list[tuple[int, int]]] = {"pin": [], "forbid": []}
        ignored, refused = [], []
        for rule in self.material.rules:
            if rule.learner in row and rule.coach in column:
                place = row[rule.learner], column[rule.coach]
                why = self._why_no_pair(*place) if rule.kind == "pin" else ""
                if not why:
                    ruled[rule.kind].append(place)
                    continue
            else:
                why = self._who_is_missing(rule, row, column)
            told = f"Sheet “{self.material.rules_sheet}”, row {rule.row}: {why}"
            (refused if rule.kind == "pin" else ignored).append(told)
        if refused and not self.wishes.good_rows:
            raise Refused([*refused, "Delete these pins, or go on without them: --good-rows."])
        return ruled["pin"], ruled["forbid"], [*refused, *ignored]

    def _who_is_missing(self, rule: Rule, row: dict[int, int], column: dict[int, int]) -> str:
        told = []
        for at, here, there, side, other in (
            (rule.learner, row, column, "learner", "coach"),
            (rule.coach, column, row, "coach", "learner"),
        ):
            if at not in here:
                but = f", but a {other}" if at in there else ""
                told.append(f"{self.material.names[at]} is no {side} in this plan{but}")
        return f"{'; '.join(told)}."

    def _why_no_pair(self, learner: int, coach: int) -> str:
        """Why two people cannot be pinned; empty when they can."""
        one, other = self.name("learner", learner), self.name("coach", coach)
        if not self.found.possible[learner, coach]:
            at, by = self.learners[learner], self.coaches[coach]
            if self.material.group[at] != self.material.group[by]:
                return f"{one} and {other} are of different peer groups."
            return f"{other} manages {one}."
        if self.found.focus[learner, coach] == pairing.NOTHING:
            lacks = [
                skill.metric.name
                for skill, needed in zip(self.skills, self.found.lacks[learner], strict=True)
                if needed
            ]
            return f"{other} is not known to be strong in what {one} needs ({', '.join(lacks)})."
        return ""

    # -- the answer ----------------------------------------------------------------------

    def pairs(self, problem: matching.Problem, answer: matching.Plan) -> list[Pair]:
        found = self.found
        candidates = np.bincount(problem.learner, minlength=problem.learners)
        best = matching.runners_up(problem, answer)
        some = best.coach != matching.NOBODY
        next_score = np.zeros(answer.matched, dtype=np.int64)
        next_score[some] = found.scores.pairs(answer.learner[some], best.coach[some])
        return [
            Pair(
                learner=learner,
                coach=coach,
                skill=int(found.focus[learner, coach]),
                score=score,
                parts=pairing.parts_of(
                    found,
                    learner,
                    coach,
                    metrics=[skill.metric.name for skill in self.skills],
                    shared=self._shared(learner, coach),
                ),
                pinned=pinned,
                candidates=int(candidates[learner]),
                next_best=None if other == matching.NOBODY else other,
                next_score=theirs,
                lost_seats=seats,
                lost_score=points,
            )
            for learner, coach, score, pinned, other, theirs, seats, points in zip(
                *(
                    column.tolist()
                    for column in (
                        answer.learner, answer.coach, answer.score, answer.pinned,
                        best.coach, next_score, best.lost_seats, best.lost_score,
                    )
                ),
                strict=True,
            )
        ]  # fmt: skip

    def _shared(self, learner: int, coach: int) -> dict[str, int]:
        one = self.material.people[self.learners[learner]]
        other = self.material.people[self.coaches[coach]]
        return {
            f"Same {name}": points
            for name, points in self.wishes.points.items()
            if points and fact(one, name) and fact(one, name) == fact(other, name)
        }

    def waiting(self, problem: matching.Problem, answer: matching.Plan) -> list[Waiting]:
        without = np.flatnonzero(answer.unfilled > 0).tolist()
        if not without:
            return []
        shortages = matching.Shortages(problem, answer, name=self.name)
        has_candidate = np.bincount(problem.learner, minlength=problem.learners) > 0
        found = []
        for learner in without:
            if has_candidate[learner]:
                found.append(self._short_of_seats(shortages.why(learner)))
            else:
                reason, cure = self._no_candidate(learner)
                found.append(Waiting(learner=learner, reason=reason, cure=cure))
        return found

    def _short_of_seats(self, why: matching.Unmatched) -> Waiting:
        cures = []
        if why.one_more_seat_at:
            names = self._some([self.name("coach", at) for at in why.one_more_seat_at])
            cures.append(f"Give one more seat to {names}.")
        if why.lift_one_of:
            one, other = why.lift_one_of[0]
            cures.append(
                f"Lift the rule that forbids {self.name('learner', one)} with "
                f"{self.name('coach', other)}."
            )
        # The sentence ends with its cures, which stand in a cell of their own here.
        reason = why.reason.rsplit("; ", 1)[0].rstrip(".") if cures else why.reason.rstrip(".")
        return Waiting(learner=why.learner, reason=f"{reason}.", cure=" Or: ".join(cures))

    @staticmethod
    def _some(names: Sequence[str], most: int = 6) -> str:
        shown = list(names[:most])
        if len(names) > most:
            shown.append(f"any of {len(names) - most} others")
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"

    def _no_candidate(self, learner: int) -> tuple[str, str]:
        who = self.name("learner", learner)
        if not self.coaches:
            return (
                "Nobody is a coach in this plan.",
                "Choose --policy leaning or --policy quota, or bring more weeks.",
            )
        group = self.material.groups[self.material.group[self.learners[learner]]]
        if not self.found.possible[learner].any():
            of = "" if group == EVERYBODY else f" of the peer group {group}"
            return (
                f"No coach{of} may coach {who}.",
                "Choose --policy leaning, or larger peer groups with --group.",
            )
        lacks = [
            skill.metric.name
            for skill, needed in zip(self.skills, self.found.lacks[learner], strict=True)
            if needed
        ]
        skills = ", ".join(lacks) or "any skill"
        return (
            f"No coach here is strong in what {who} needs: {skills}.",
            "Choose --policy leaning for more coaches, or bring more readings of that skill.",
        )


def _chances(skills: list[Skill], people: list[int], name: str) -> np.ndarray:
    columns = [getattr(skill.ranking, name)[people] for skill in skills]
    return np.stack(columns, axis=1) if people else np.zeros((0, len(skills)))
