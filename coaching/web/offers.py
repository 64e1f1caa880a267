"""Policies as a manager reads them: how many each labels, and how many of these to expect right."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from coaching.domain.ranking import LABEL
from coaching.domain.selection import Labels
from coaching.models import Person, Scorecard
from coaching.queries import selection
from coaching.web import words

# Names in one list of the page; the rest is counted.
MOST_NAMES = 40
NAMED = {
    "evidence": (
        _("Evidence"),
        _("At least %(share)s sure of everybody. Nobody is labelled on noise."),
    ),
    "leaning": (_("Leaning"), _("More likely than not. Helps more people, and more by mistake.")),
    "quota": (_("Quota"), _("A fixed number from each end, right or wrong.")),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How a cohort would be selected: a policy, a band width, and for a quota how many."""

    policy: str
    q: float
    quota: int | None = None

    def address(self, policy: str = "") -> str:
        """The same as the query part of an address, for this or another policy."""
        values = {"policy": policy or self.policy, "q": f"{100 * self.q:.10g}"}
        if self.quota and values["policy"] == Scorecard.Policy.QUOTA:
            values["quota"] = str(self.quota)
        return "?" + urlencode(values)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody on a list, with the probability they are on it for and the band they are in."""

    person: Person
    chance: float
    band: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The likeliest of some people, by name, and how many there are."""

    people: list[Named]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.people)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an offer: how many, and how many of them in the part they are named for."""

    promise: str
    mistakes: str
    listed: Listed
    # How many of them learn in a running pair already.
    swimming: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """One policy, and what it would do before it is used."""

    policy: str
    name: str
    meaning: str
    chosen: bool
    sides: tuple[Side, Side]
    address: str


# Whose names, and the probability to order and show them by.
Masks = Mapping[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def listed(field: selection.Field, masks: Masks) -> dict[tuple[str, str], Listed]:
    """Names for several lists over the same people, with one query."""
    places = {
        key: np.flatnonzero(mask)[np.argsort(-chance[mask], kind="stable")]
        for key, (mask, chance) in masks.items()
    }
    people = selection.named(
        {int(field.person[at]) for found in places.values() for at in found[:MOST_NAMES]}
    )
    return {
        key: Listed(
            [
                Named(
                    people[int(field.person[at])],
                    float(masks[key][1][at]),
                    selection.WORDS[int(field.band[at])],
                )
                for at in found[:MOST_NAMES]
            ],
            found.size,
        )
        for key, found in places.items()
    }


def offers(
    asked: Asked,
    labels: dict[str, Labels],
    names: dict[tuple[str, str], Listed],
    swimming: np.ndarray,
) -> list[Offer]:
    """Every policy with what it promises, in the order of how much it asks for."""
    worst, best = words.ends(asked.q)
    return [
        Offer(
            policy,
            NAMED[policy][0],
            NAMED[policy][1] % {"share": words.percent(LABEL)},
            chosen=policy == asked.policy,
            sides=(
                Side(
                    promise(chosen.learners, chosen.learners_right, "learner", worst),
                    mistakes(chosen.learners, chosen.learners_wrong),
                    names[policy, "learner"],
                    int((chosen.learner & swimming).sum()),
                ),
                Side(
                    promise(chosen.coaches, chosen.coaches_right, "coach", best),
                    mistakes(chosen.coaches, chosen.coaches_wrong),
                    names[policy, "coach"],
                ),
            ),
            address=asked.address(policy),
        )
        for policy, chosen in labels.items()
    ]


def promise(number: int, right: float, noun: str, part: str) -> str:
    """
    >>> promise(12, 10.83, "learner", "worst quarter")
    '12 learners, about 10.8 of them truly in the worst quarter'
    >>> promise(1, 0.9, "coach", "best 30 %"), promise(0, 0, "learner", "worst half")
    ('1 coach, truly in the best 30 % with 90 %', 'No learners')
    """
    learners = noun == "learner"
    if number == 0:
        return gettext("No learners") if learners else gettext("No coaches")
    if number == 1:
        text = (
            gettext("1 learner, truly in the %(part)s with %(share)s")
            if learners
            else gettext("1 coach, truly in the %(part)s with %(share)s")
        )
        return text % {"part": part, "share": words.percent(right)}
    text = (
        gettext("%(number)s learners, about %(right)s of them truly in the %(part)s")
        if learners
        else gettext("%(number)s coaches, about %(right)s of them truly in the %(part)s")
    )
    return text % {"number": words.figure(number), "right": about(right), "part": part}


def mistakes(number: int, wrong: float) -> str:
    """
    >>> mistakes(12, 1.17), mistakes(0, 0)
    ('about 1.2 labelled by mistake', '')
    """
    text = gettext("about %(wrong)s labelled by mistake")
    return text % {"wrong": about(wrong)} if number > 1 else ""


def about(number: float) -> str:
    """
    >>> about(10.83), about(0.04), about(312.4)
    ('10.8', 'none', '312')
    """
    if number < 0.05:
        return pgettext("of some people", "none")
    return number_format(round(number, 1), 1) if number < 100 else words.figure(round(number))
