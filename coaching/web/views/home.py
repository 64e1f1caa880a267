"""The front page: for managers what needs them, for staff straight to their assignment."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext

from coaching.models import Cohort, Import, Pair
from coaching.queries import (
    access,
    cases,
    cohorts,
    imports,
    letters,
    metrics,
    pairs,
    quiet,
    rankings,
    undelivered,
    waiting,
)
from coaching.web import words
from coaching.web.doors import for_person

MOST_NEEDS = 5
MOST_NEWS = 8
MOST_WATCHED = 4
RECENTLY = timedelta(weeks=2)


@dataclass(frozen=True, slots=True)
class Needs:
    """One kind of thing that needs somebody: the first few, and how many more there are."""

    items: list
    more: int

    def __len__(self) -> int:
        return len(self.items) + self.more


def first(rows: list | QuerySet) -> Needs:
    """Two queries for a query set; none for a list."""
    count = len(rows) if isinstance(rows, list) else rows.count()
    items = list(rows[:MOST_NEEDS])
    return Needs(items, max(count - len(items), 0))


@for_person
def home(request: HttpRequest) -> HttpResponse:
    reader, now = request.person, request.now
    if not access.is_manager(reader):
        return redirect("me")
    own = cohorts.with_counts(cohorts.visible_to(reader))
    running = list(own.filter(state=Cohort.State.LIVE).order_by("test_date", "pk"))
    needs = {
        "cases": first(cases.to_decide(reader)),
        "quiet": first(quiet.quiet_pairs(reader, now=now)),
        "proposals": first(waiting.proposed_to(reader)),
        "reviews": first(cases.passes_to_review(reader)),
        "unreached": first(undelivered.unreached(reader, now=now)),
        "files": first(
            imports.visible_to(reader).filter(state__in=[Import.State.READY, Import.State.UPLOADED])
        ),
        "drafts": first(cohorts.drafts(cohorts.visible_to(reader))),
        "hands": first(
            metrics.hands_visible_to(reader).filter(lowered_at=None).exclude(person=reader)
        ),
    }
    # Who is quiet or stuck stands in a line of its own above.
    named = [one.pair.pk for one in needs["quiet"].items]
    watched = pairs.on_board(pairs.visible_to(reader)).filter(state=Pair.State.AT_RISK)
    return render(
        request,
        "manager/home.html",
        {
            "running": running,
            "outlook": outlook_of(running),
            **needs,
            "needs": sum(len(kind) for kind in needs.values()),
            "closed": own.filter(state=Cohort.State.CLOSED).first(),
            "watched": watched.exclude(pk__in=named)[:MOST_WATCHED],
            "passes": pairs.visible_to(reader)
            .filter(passed_at__gte=now - RECENTLY)
            .order_by("-passed_at", "pk")[:MOST_NEWS],
            "digest": letters.newest_digest(reader),
            "ranking": rankings.visible_to(reader).order_by("-created_at").first(),
            "imported": imports.visible_to(reader).filter(state=Import.State.DONE).exists(),
            "news": letters.news_for(reader, now=now)[:MOST_NEWS],
        },
    )


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether everybody is going to pass, over all running cohorts."""

    everybody: int
    passed: int
    on_track: int
    ended: int
    # At risk, stuck, or without a coach.
    doubtful: int

    @property
    def words(self) -> str:
        """
        >>> Outlook(8, 8, 0, 0, 0).words, Outlook(8, 2, 6, 0, 0).words
        ('Everybody has passed.', 'Everybody is on the way.')
        >>> Outlook(13, 2, 5, 0, 6).words, Outlook(3, 2, 0, 1, 0).words
        ('Six of 13 may not pass without you.', 'Nobody swims any more.')
        """
        if self.passed == self.everybody:
            return gettext("Everybody has passed.")
        if self.doubtful:
            return ngettext(
                "%(few)s of %(everybody)s may not pass without you.",
                "%(few)s of %(everybody)s may not pass without you.",
                self.doubtful,
            ) % {
                "few": words.capital(words.spelled(self.doubtful)),
                "everybody": self.everybody,
            }
        if self.on_track:
            return gettext("Everybody is on the way.")
        return gettext("Nobody swims any more.")


def outlook_of(running: list[Cohort]) -> Outlook:
    """The cohorts come through `queries.cohorts.with_counts`."""

    def total(*names: str) -> int:
        return sum(getattr(cohort, f"{name}_count") for cohort in running for name in names)

    return Outlook(
        everybody=total("pair"),
        passed=total("passed"),
        on_track=total("on_track"),
        ended=total("ended"),
        doubtful=total("at_risk", "stuck", "waiting"),
    )
