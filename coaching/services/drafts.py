"""A draft cohort's own words and dates, and giving it up."""

from datetime import date, datetime

from django.db import transaction

from coaching.domain.said import said
from coaching.errors import CoachingError
from coaching.models import Cohort, Person
from coaching.services import audit, cohorts, membership


class WasLaunched(CoachingError):
    message = said(
        "This cohort was launched once and taken back. What was sent then stays on record, so the "
        "draft stays, too: launch it again, or leave it."
    )


@transaction.atomic
def change(
    *, cohort: Cohort, name: str, test_date: date, target_form: str, by: Person, now: datetime
) -> bool:
    """
    Another name, test date or target for a draft; False when nothing was different.

    Plans stay as they are: targets are worked out at the launch.

    :raises membership.NotADraft, cohorts.NoName, cohorts.TooSoon, cohorts.TooFar:
    """
    membership.lock(cohort)
    cohorts.check_dates(name, test_date, now=now)
    wanted = {"name": name.strip(), "test_date": test_date, "target_form": target_form}
    cohort.refresh_from_db(fields=list(wanted))
    before = {field: getattr(cohort, field) for field in wanted}
    if wanted == before:
        return False
    for field, value in wanted.items():
        setattr(cohort, field, value)
    cohort.save(update_fields=list(wanted))
    audit.record(
        "cohort changed", cohort, by=by, now=now, team=cohort.team,
        changed=sorted(field for field in wanted if wanted[field] != before[field]),
    )  # fmt: skip
    return True


@transaction.atomic
def discard(*, cohort: Cohort, by: Person, now: datetime) -> None:
    """
    Give a draft up: its people, plans and rules are gone, the ranking and raised hands stay.

    :raises membership.NotADraft, WasLaunched:
    """
    membership.lock(cohort)
    if cohort.pairs.exists():
        raise WasLaunched
    audit.record("cohort discarded", cohort, by=by, now=now, team=cohort.team, name=cohort.name)
    cohort.delete()
