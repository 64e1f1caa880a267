"""A manager's own additions to a draft cohort and removals from it, each with a reason."""

from datetime import datetime

from django.db import transaction

from coaching.errors import CoachingError
from coaching.models import Cohort, Member, Person
from coaching.services import audit, plans


class NoReason(CoachingError):
    message = "Say why, in one sentence: whoever looks at this cohort later will ask."


class NotADraft(CoachingError):
    message = "This cohort has been launched; its people are changed on the pages of their pairs."


class NotInRanking(CoachingError):
    pass


class SelectedAlready(CoachingError):
    pass


class NotSelected(CoachingError):
    pass


@transaction.atomic
def add(
    *, cohort: Cohort, person: Person, side: str, reason: str, by: Person, now: datetime
) -> Member:
    """
    Add somebody on one side, whatever the ranking said. Nobody who was selected moves for it.

    :raises NoReason, NotADraft, NotInRanking, SelectedAlready:
    """
    reason = _reason(reason)
    _lock(cohort)
    if side not in Member.Side.values:
        raise CoachingError("Choose whether they learn or coach.")
    standing = cohort.ranking.standings.filter(person=person, person__active=True)
    if not standing.exists():
        raise NotInRanking(
            f"{person.name} has no standing in this ranking, so nobody knows what they need or "
            "can teach. Import their readings and rank again."
        )
    known = cohort.members.filter(person=person).first()
    if known is not None:
        if known.left_out:
            raise SelectedAlready(f"{person.name} was left out; take them back in instead.")
        raise SelectedAlready(
            f"{person.name} is in this cohort already, as a {known.get_side_display().lower()}."
        )
    member = Member.objects.create(
        cohort=cohort, person=person, side=side, source=Member.Source.MANAGER, note=reason
    )
    _changed(cohort, "member added", member, reason, by=by, now=now)
    return member


@transaction.atomic
def leave_out(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> None:
    """
    Leave a selected person out. They stay listed with the reason, and nobody takes their place.

    :raises NoReason, NotADraft, NotSelected:
    """
    reason = _reason(reason)
    _lock(cohort)
    member = cohort.members.filter(person=person, left_out=False).first()
    if member is None:
        raise NotSelected(f"{person.name} is not among the selected of this cohort.")
    member.left_out, member.note = True, reason
    member.save(update_fields=["left_out", "note"])
    _changed(cohort, "member left out", member, reason, by=by, now=now)


@transaction.atomic
def take_back(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> None:
    """
    Take somebody who was left out back in, on the side they were on.

    :raises NoReason, NotADraft, NotSelected:
    """
    reason = _reason(reason)
    _lock(cohort)
    member = cohort.members.filter(person=person, left_out=True).first()
    if member is None:
        raise NotSelected(f"{person.name} was not left out of this cohort.")
    member.left_out, member.note = False, reason
    member.save(update_fields=["left_out", "note"])
    _changed(cohort, "member taken back", member, reason, by=by, now=now)


def _reason(text: str) -> str:
    if not text.strip():
        raise NoReason
    return text.strip()[:300]


def _lock(cohort: Cohort) -> None:
    """Locked until the end: a launch in the same moment waits, or was first."""
    drafts = Cohort.objects.select_for_update().filter(pk=cohort.pk, state=Cohort.State.DRAFT)
    if drafts.first() is None:
        raise NotADraft


def _changed(
    cohort: Cohort, verb: str, member: Member, reason: str, *, by: Person, now: datetime
) -> None:
    audit.record(
        verb, cohort, by=by, now=now, team=cohort.team,
        person=member.person.public_id, side=member.side, reason=reason,
    )  # fmt: skip
    plan = cohort.plans.first()
    if plan is not None:
        plans.solve(plan=plan, by=by, now=now)
