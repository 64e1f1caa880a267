"""Who takes part in a draft cohort: the rows, and what cannot be. Plans are solved by others."""

from datetime import datetime

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Cohort, Member, Person
from coaching.services import audit


class NoReason(CoachingError):
    message = said("Say why, in one sentence: whoever looks at this cohort later will ask.")


class NotADraft(CoachingError):
    message = said(
        "This cohort has been launched; its people are changed on the pages of their pairs."
    )


class NotInRanking(CoachingError):
    pass


class SelectedAlready(CoachingError):
    pass


class NotSelected(CoachingError):
    pass


def reason_of(text: str) -> str:
    """:raises NoReason:"""
    if not text.strip():
        raise NoReason
    return text.strip()[:300]


def admit(
    *, cohort: Cohort, person: Person, side: str, reason: str, by: Person, now: datetime
) -> Member:
    """
    Add somebody on one side, whatever the ranking said.

    :raises NoReason, NotADraft, NotInRanking, SelectedAlready:
    """
    reason = reason_of(reason)
    lock(cohort)
    if side not in Member.Side.values:
        raise CoachingError(said("Choose whether they learn or coach."))
    standing = cohort.ranking.standings.filter(person=person, person__active=True)
    if not standing.exists():
        raise NotInRanking(
            said(
                "%(name)s has no standing in this ranking, so nobody knows what they need or can "
                "teach. Import their readings and rank again.",
                name=person.name,
            )
        )
    known = cohort.members.filter(person=person).first()
    if known is not None:
        raise SelectedAlready(_already(person, known, side))
    member = Member.objects.create(
        cohort=cohort, person=person, side=side, source=Member.Source.MANAGER, note=reason
    )
    _record("member added", member, reason, by=by, now=now)
    return member


def _already(person: Person, known: Member, side: str) -> str:
    if known.left_out:
        return said("%(name)s was left out; take them back in instead.", name=person.name)
    already = (
        said("%(name)s is in this cohort already, as a learner.", name=person.name)
        if known.side == Member.Side.LEARNER
        else said("%(name)s is in this cohort already, as a coach.", name=person.name)
    )
    if known.side == side:
        return already
    return said(
        "%(already)s Nobody learns and coaches in the same cohort: whoever coaches one skill can "
        "learn another one in a cohort of its own.",
        already=already,
    )


def leave_out(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> Member:
    """:raises NoReason, NotADraft, NotSelected:"""
    reason = reason_of(reason)
    lock(cohort)
    member = cohort.members.filter(person=person, left_out=False).first()
    if member is None:
        raise NotSelected(
            said("%(name)s is not among the selected of this cohort.", name=person.name)
        )
    member.left_out, member.note = True, reason
    member.save(update_fields=["left_out", "note"])
    _record("member left out", member, reason, by=by, now=now)
    return member


def take_back(*, cohort: Cohort, person: Person, reason: str, by: Person, now: datetime) -> Member:
    """:raises NoReason, NotADraft, NotSelected:"""
    reason = reason_of(reason)
    lock(cohort)
    member = cohort.members.filter(person=person, left_out=True).first()
    if member is None:
        raise NotSelected(said("%(name)s was not left out of this cohort.", name=person.name))
    member.left_out, member.note = False, reason
    member.save(update_fields=["left_out", "note"])
    _record("member taken back", member, reason, by=by, now=now)
    return member


def lock(cohort: Cohort) -> None:
    """Locked until the end: a launch in the same moment waits, or was first."""
    drafts = Cohort.objects.select_for_update().filter(pk=cohort.pk, state=Cohort.State.DRAFT)
    if drafts.first() is None:
        raise NotADraft


def _record(verb: str, member: Member, reason: str, *, by: Person, now: datetime) -> None:
    cohort = member.cohort
    audit.record(
        verb, cohort, by=by, now=now, team=cohort.team,
        person=member.person.public_id, side=member.side, reason=reason,
    )  # fmt: skip
