"""Two plans for one cohort, side by side."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import zip_longest

from django.utils.translation import gettext_noop

from coaching.domain.said import said
from coaching.models import DraftPair, Metric, Person, Plan
from coaching.services.plans.affinity import LABELS


@dataclass(frozen=True)
class Comparison:
    """
    rows : (what, in the one, in the other)
    differs : (learner, metric, coach in the one or None, coach in the other or None)
    by_site : (site, learners with a coach in the one, in the other, mean score, mean score)
    """

    rows: list[tuple[str, object, object]]
    differs: list[tuple[Person, Metric, Person | None, Person | None]]
    by_site: list[tuple[str, int, int, int, int]]


def side_by_side(one: Plan, other: Plan) -> Comparison:
    """A fixed number of queries, whatever the number of pairs."""
    pairs = [_pairs(plan) for plan in (one, other)]
    figures = [_figures(plan, rows) for plan, rows in zip((one, other), pairs, strict=True)]
    return Comparison(
        rows=[(label, figures[0][label], figures[1][label]) for label in figures[0]],
        differs=_differs(*pairs),
        by_site=_by_site(*pairs),
    )


def _pairs(plan: Plan) -> list[DraftPair]:
    rows = plan.draft_pairs.select_related("learner", "coach", "metric", "runner_up")
    return list(rows.order_by("learner__name", "learner_id", "metric_id"))


def _figures(plan: Plan, pairs: list[DraftPair]) -> dict[str, object]:
    load = Counter(pair.coach_id for pair in pairs)
    scores = [pair.score for pair in pairs]
    told = Counter(part["name"] for pair in pairs for part in pair.parts if not part["metric"])
    kinds = Counter(plan.rules.values_list("kind", flat=True))
    return {
        gettext_noop("Pairs"): len(pairs),
        gettext_noop("Learners without a coach"): plan.unpaired.count(),
        gettext_noop("Total score"): sum(scores),
        gettext_noop("Mean score"): round(sum(scores) / len(scores)) if scores else 0,
        gettext_noop("Weakest match"): min(scores, default=0),
        gettext_noop("Coaches with a learner"): len(load),
        gettext_noop("Most learners of one coach"): max(load.values(), default=0),
        **{label: told[label] for label in LABELS.values()},
        gettext_noop("Pinned"): kinds["pin"],
        gettext_noop("Kept apart"): kinds["forbid"],
        gettext_noop("Floor"): plan.floor,
        gettext_noop("Who waits"): said("the score decides")
        if plan.lot is None
        else said("drawn by lot %(lot)s", lot=plan.lot),
        gettext_noop("Left out of the plan"): len(plan.left_out),
    }


def _differs(
    one: list[DraftPair], other: list[DraftPair]
) -> list[tuple[Person, Metric, Person | None, Person | None]]:
    """By learner's name. Another coach for another skill is one line, with the other's skill."""
    seats = defaultdict(lambda: ([], []))
    for side, pairs in enumerate((one, other)):
        for pair in pairs:
            seats[pair.learner_id][side].append(pair)
    found = []
    for mine, theirs in seats.values():
        for pair in list(mine):
            same = next((row for row in theirs if row.metric_id == pair.metric_id), None)
            if same is not None:
                mine.remove(pair)
                theirs.remove(same)
                if same.coach_id != pair.coach_id:
                    found.append((pair.learner, pair.metric, pair.coach, same.coach))
        for left, right in zip_longest(mine, theirs):
            told = right or left
            found.append((told.learner, told.metric, left and left.coach, right and right.coach))
    return sorted(found, key=lambda row: (row[0].name, row[0].pk, row[1].pk))


def _by_site(one: list[DraftPair], other: list[DraftPair]) -> list[tuple[str, int, int, int, int]]:
    """By the learners' sites; people without one come last, under no name."""
    scores = defaultdict(lambda: ([], []))
    for side, pairs in enumerate((one, other)):
        for pair in pairs:
            scores[pair.learner.site][side].append(pair.score)
    return [
        (site, len(mine), len(theirs), _mean(mine), _mean(theirs))
        for site, (mine, theirs) in sorted(
            scores.items(), key=lambda entry: (not entry[0], entry[0])
        )
    ]


def _mean(scores: list[int]) -> int:
    return round(sum(scores) / len(scores)) if scores else 0
