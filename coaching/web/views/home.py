"""The front page: for managers what needs them, for staff straight to their assignment."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from coaching.models import Cohort, Import, Pair
from coaching.queries import access, cohorts, imports, letters, metrics, pairs, rankings
from coaching.web.doors import for_person

MOST_NEEDS = 8
MOST_NEWS = 8
MOST_WATCHED = 4
RECENTLY = timedelta(weeks=2)


@for_person
def home(request: HttpRequest) -> HttpResponse:
    reader = request.person
    if not access.is_manager(reader):
        return redirect("me")
    own = cohorts.with_counts(cohorts.visible_to(reader))
    running = list(own.filter(state=Cohort.State.LIVE).order_by("test_date", "pk"))
    cases = list(cohorts.cases_visible_to(reader).filter(decided_at=None).order_by("opened_at"))
    waiting = list(
        imports.visible_to(reader).filter(state__in=[Import.State.READY, Import.State.UPLOADED])[:5]
    )
    drafts = list(own.filter(state=Cohort.State.DRAFT)[:5])
    hands = [
        hand
        for hand in metrics.hands_visible_to(reader).filter(lowered_at=None)
        if hand.person_id != reader.pk
    ]
    # They have a line of their own under what needs somebody.
    watched = pairs.on_board(pairs.visible_to(reader)).filter(state=Pair.State.AT_RISK)
    everybody = sum(cohort.pair_count for cohort in running)
    return render(
        request,
        "manager/home.html",
        {
            "running": running,
            "everybody": everybody,
            "passed": sum(cohort.passed_count for cohort in running),
            "closed": own.filter(state=Cohort.State.CLOSED).first(),
            "cases": cases[:MOST_NEEDS],
            "case_count": len(cases),
            "waiting": waiting,
            "drafts": drafts,
            "hands": hands[:MOST_NEEDS],
            "hand_count": len(hands),
            "needs": len(cases) + len(waiting) + len(drafts) + len(hands),
            "watched": watched[:MOST_WATCHED],
            "passes": pairs.visible_to(reader)
            .filter(passed_at__gte=request.now - RECENTLY)
            .order_by("-passed_at", "pk")[:MOST_NEWS],
            "digest": letters.newest_digest(reader),
            "ranking": rankings.visible_to(reader).order_by("-created_at").first(),
            "imported": imports.visible_to(reader).filter(state=Import.State.DONE).exists(),
            "news": letters.news_for(reader, now=request.now)[:MOST_NEWS],
        },
    )
