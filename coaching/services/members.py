"""A manager's own additions to a draft cohort and removals from it, each with a reason."""

from datetime import datetime

from django.db import transaction

from coaching.models import Cohort, Member, Person
from coaching.models.base import in_english
from coaching.services import membership, plans
from coaching.services.membership import (
    NoReason,
    NotADraft,
    NotInRanking,
    NotSelected,
    SelectedAlready,
)

__all__ = [
    "NoReason",
    "NotADraft",
    "NotInRanking",
    "NotSelected",
    "SelectedAlready",
    "add",
    "leave_out",
    "take_back",
]


@transaction.atomic
def add(
    *, cohort: Cohort, person: Person, side: str, reason: str, by: Person, now: datetime
) -> Member:
    """
    Add somebody on one side, whatever the ranking said. Nobody who was selected moves for it.

    :raises NoReason, NotADraft, NotInRanking, SelectedAlready:
    """
    member = membership.admit(
        cohort=cohort, person=person, side=side, reason=reason, by=by, now=now
    )
    plans.unknown_before(cohort, [person])
    what = (
        f"{person.name} added as a {in_english(member.get_side_display()).lower()}: {member.note}"
    )
    plans.solve_all(cohort, what=what, by=by, now=now)
    return member


@transaction.atomic
def leave_out(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> None:
    """
    Leave a selected person out. They stay listed with the reason, and nobody takes their place.

    :raises NoReason, NotADraft, NotSelected:
    """
    member = membership.leave_out(cohort=cohort, person=person, reason=reason, by=by, now=now)
    what = f"{person.name} left out of the cohort: {member.note}"
    plans.solve_all(cohort, what=what, by=by, now=now)


@transaction.atomic
def take_back(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> None:
    """
    Take somebody who was left out back in, on the side they were on.

    :raises NoReason, NotADraft, NotSelected:
    """
    member = membership.take_back(cohort=cohort, person=person, reason=reason, by=by, now=now)
    what = f"{person.name} taken back into the cohort: {member.note}"
    plans.solve_all(cohort, what=what, by=by, now=now)
