"""What a plan of a file says, in sentences: for the manager who asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from coaching.domain.matching.problem import in_words, plural, upper
from coaching.domain.offline.planning import Outcome, Pair, Skill
from coaching.domain.pairing import FEW_COACHES
from coaching.domain.ranking import LABEL, LEANING, RELIABLE, SMALLEST_GROUP, Band
from coaching.domain.selection import Policy, placeable

CONFIDENTIAL = (
    "For the manager who plans. It names people with what they need help in: do not pass it on, "
    "and do not use it for appraisal. Learners and coaches are told about their own pair only."
)
_PARTS = {0.25: "quarter", 0.2: "fifth", 0.5: "half"}


def part(q: float) -> str:
    """
    >>> part(0.25), part(0.3)
    ('quarter', '30 %')
    """
    return _PARTS.get(q, f"{100 * q:g} %")


def percent(chance: float) -> str:
    """
    A chance of something that nobody knows for certain.

    >>> percent(0.8234), percent(0.999), percent(0.0)
    ('82 %', '> 99 %', '< 1 %')
    """
    if chance >= 0.995:
        return "> 99 %"
    return "< 1 %" if chance < 0.005 else f"{100 * chance:.0f} %"


def people(count: int) -> str:
    """
    >>> people(1), people(2), people(1128)
    ('one person', 'two people', '1,128 people')
    """
    if count == 1:
        return "one person"
    return f"{count:,} people" if count > 12 else plural(count, "X").replace("Xs", "people")


def policy(outcome: Outcome) -> str:
    wishes = outcome.wishes
    which = f"the worst or best {part(wishes.q)} of their peers"
    if wishes.policy == Policy.QUOTA:
        many = f"{wishes.quota} people" if wishes.quota else f"{100 * wishes.q:g} %"
        return f"quota: the likeliest {many} from each end, however sure that is."
    sure = LABEL if wishes.policy == Policy.EVIDENCE else LEANING
    return f"{wishes.policy}: who is truly in {which} with a chance of {percent(sure)} or more."


def costs(outcome: Outcome, name: str) -> str:
    """What a policy would choose, and how much of it would be wrong."""
    labels = outcome.policies[name]
    if not labels.learners and not labels.coaches:
        return "Nobody on either side."
    told = []
    for side, count, wrong in (
        ("learner", labels.learners, labels.learners_wrong),
        ("coach", labels.coaches, labels.coaches_wrong),
    ):
        expected = f", about {wrong:.1f} of them wrongly" if count else ""
        told.append(f"{plural(count, side)}{expected}")
    return f"{upper('; '.join(told))}."


def how_sure(skill: Skill) -> str:
    """What this metric can tell about people at all."""
    if skill.chance_alone:
        return (
            "Chance alone explains how people differ here. More weeks help only if they truly "
            "do differ."
        )
    own = skill.reliability
    told = f"A typical estimate is {100 * own:.0f} % own readings, the rest the peers' mean."
    if own < RELIABLE:
        more = skill.more_needed
        told += (
            f" A label needs {100 * RELIABLE:.0f} %: about {more:.1f} times as many cases a person."
        )
    return told


def nobody(outcome: Outcome) -> Iterator[str]:
    """Why there are no pairs, and what would help; nothing where there are some."""
    if outcome.pairs:
        return
    chosen, wishes = outcome.chosen, outcome.wishes
    if not chosen.learners and not chosen.coaches:
        yield (
            f"Nobody is labelled under “{wishes.policy}”. That is an answer, not a failure: "
            "these figures do not carry a judgement about anybody."
        )
    elif not outcome.learners:
        yield f"Nobody learns under “{wishes.policy}”, so there is nobody to pair."
    elif not outcome.coaches:
        yield f"Nobody is a coach under “{wishes.policy}”, so there is nobody to pair with."
    else:
        yield "No pair can be formed; the sheet Unpaired says why for each learner."
        return
    small = [
        name
        for at, name in enumerate(outcome.material.groups)
        if outcome.overall.people[at] < SMALLEST_GROUP
    ]
    if small:
        yield (
            f"Peer groups under {SMALLEST_GROUP} people are never labelled: {_some(small)}. "
            "Compare larger groups, or everybody (--one-group)."
        )
    noise = [skill.metric.name for skill in outcome.counted if skill.chance_alone]
    if noise:
        yield (
            f"In {in_words(noise)} people differ by no more than chance makes them. No setting "
            "changes that; other skills may tell people apart."
        )
    thin = [skill for skill in outcome.counted if not skill.chance_alone]
    thin = [skill for skill in thin if skill.reliability < RELIABLE]
    if thin:
        best = min(thin, key=lambda skill: skill.more_needed)
        yield (
            f"More weeks would help: {best.metric.name} needs about {best.more_needed:.1f} times "
            "as many cases a person before it tells people apart."
        )
    elif noise:
        yield "More weeks help where people truly differ; then the noise shrinks and shows it."
    for name in (Policy.LEANING, Policy.QUOTA):
        if name == wishes.policy:
            continue
        labels = outcome.policies[name]
        if labels.learners and labels.coaches:
            yield f"The policy {name} (--policy {name}) would choose: {costs(outcome, name)}"
        else:
            yield (
                f"The policy {name} would give no pairs either: {costs(outcome, name)}"
                + ("" if placeable(outcome.overall.band).any() else
                   " Nobody's readings are reliable enough to be placed at all.")
            )  # fmt: skip
    if not outcome.raised:
        yield (
            "Or ask: whoever raises a hand for a skill (a column “hand”, or a sheet “Hands”) is "
            "a learner whatever the ranking says. Coaches still come from the ranking."
        )


def warnings(outcome: Outcome) -> Iterator[str]:
    material, names = outcome.material, outcome.material.names
    if material.problem_count:
        many = plural(material.problem_count, "problem")
        yield f"{upper(many)} in the file; these rows do not count (sheet Problems)."
    yield from outcome.left_out
    yield from outcome.ignored_rules
    if material.other_sheets:
        yield f"Not read: {in_words([f'“{name}”' for name in material.other_sheets])}."
    if outcome.both:
        who = _some([names[at] for at in outcome.both])
        yield f"Would be coaches, but raised a hand and learn: {who}."
    check = np.flatnonzero(outcome.overall.band == Band.CHECK_DATA).tolist()
    if check:
        yield (
            f"Values so far from all peers that they may be mistakes: "
            f"{_some([names[at] for at in check])}. They are not selected; check the numbers."
        )
    small = [
        name
        for at, name in enumerate(material.groups)
        if outcome.overall.people[at] < SMALLEST_GROUP
    ]
    if small and outcome.pairs:
        yield f"Peer groups under {SMALLEST_GROUP} people are not labelled: {_some(small)}."
    few = [pair for pair in outcome.pairs if pair.candidates < FEW_COACHES]
    if few:
        who = _some([names[outcome.learners[pair.learner]] for pair in few])
        yield f"Fewer than {plural(FEW_COACHES, 'coach')} could coach: {who}."
    if outcome.coaches and not any(outcome.seats):
        yield "No coach has a seat: raise --seats, or the numbers in the column of seats."
    for skill in outcome.counted:
        if skill.metric.confidence <= 0.5:
            yield (
                f"{skill.metric.name} is a guess from its values: {skill.metric.kind}, "
                f"{skill.metric.direction} is better. Overrule it with --kind and --direction."
            )


def load(outcome: Outcome) -> str:
    """
    How many coaches have how many learners.
    """
    if not outcome.coaches:
        return "No coaches."
    counts = Counter(outcome.plan.load.tolist())
    told = [
        f"{plural(counts[many], 'coach')} with {plural(many, 'learner')}"
        for many in sorted(counts, reverse=True)
    ]
    return f"{upper(in_words(told))}."


def why(outcome: Outcome, pair: Pair) -> str:
    """Why these two, in a sentence."""
    names = outcome.material.names
    learner, coach = outcome.learners[pair.learner], outcome.coaches[pair.coach]
    skill = outcome.counted[pair.skill]
    strong = percent(float(skill.ranking.p_skill[coach]))
    best = (
        f"{names[coach]} is among the best two fifths in {skill.metric.name} with a chance of "
        f"{strong}"
    )
    if outcome.material.asks[learner] >= 0 and not outcome.chosen.learner[learner]:
        return f"{best}; {names[learner]} asked to work on it."
    lacks = percent(float(skill.ranking.p_need[learner]))
    return f"{best}, {names[learner]} among the lowest two fifths with one of {lacks}."


def insisting(outcome: Outcome, pair: Pair) -> str:
    """What taking the next best coach instead would cost everybody."""
    if pair.pinned:
        return "Pinned by a rule."
    if pair.next_best is None:
        return "Nobody else could coach this learner."
    if pair.lost_seats:
        lost = plural(pair.lost_seats, "learner")
        return f"Leaves {lost} without a coach."
    cost = pair.lost_score
    if not cost:
        return "Just as good for the whole plan."
    return f"Costs the plan {plural(cost, 'point')}."


def few(pair: Pair) -> str:
    return "few" if pair.candidates < FEW_COACHES else ""


def _some(names: list[str], most: int = 12) -> str:
    shown = names[:most]
    if len(names) > most:
        shown = [*shown, f"{len(names) - most:,} others"]
    return in_words(shown)
