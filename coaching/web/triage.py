"""A stuck pair before whoever decides: what is known, what was tried, what each way costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest

from coaching.domain import progress
from coaching.models import Case, Event, Look, Pair, Session, Waiting
from coaching.queries import cases, pairs
from coaching.services import cases as case_services
from coaching.services import waiting
from coaching.web import words
from coaching.web.case_forms import AcceptForm, EverythingForm, RedirectForm

MOST_OFFERS = 6
USUAL_MINUTES = 45


@dataclass(frozen=True, slots=True)
class Cost:
    """One line under a way on: what it takes, in words."""

    what: str
    told: str


def escalations_of(case: Case) -> Sequence[Event]:
    """How the case went from one to the next, oldest first."""
    return (
        pairs.history(case.pair)
        .filter(verb="case escalated", at__gte=case.opened_at)
        .order_by("at", "pk")
    )


def tried_before(pair: Pair) -> list[str]:
    """What has been tried with this learner and skill already, in sentences, oldest first."""
    earlier = (
        Pair.objects.filter(learner=pair.learner_id, metric=pair.metric_id)
        .exclude(pk=pair.pk)
        .exclude(ending=Pair.Ending.UNDONE)
        .select_related("coach")
        .order_by("started_at", "pk")
    )
    told = [
        f"{row.coach.name} coached from {day(row.started_at.date())} on; "
        + (
            "the target was reached."
            if row.state == Pair.State.PASSED
            else f"{row.get_ending_display().lower()}."
        )
        for row in earlier
    ]
    for case in pair.cases.exclude(decided_at=None).order_by("episode"):
        told.append(
            f"{day(case.decided_at.date())}: {case.get_clock_display().lower()}, then "
            f"“{case.get_decision_display().lower()}”{_with_means(case)}."
        )
    for helper in pair.helpers.select_related("person").order_by("since"):
        told.append(f"{helper.person.name} helped from {day(helper.since.date())} on.")
    for clinic in pair.clinics.filter(withdrawn_at=None).select_related("led_by"):
        told.append(f"A clinic with {clinic.led_by.name} on {day(clinic.starts_at.date())}.")
    return told


def _with_means(case: Case) -> str:
    parts = []
    if weeks := case.means.get("weeks"):
        parts.append(words.count(weeks, "more week"))
    for key, word in (("helper", "a helper"), ("clinic", "a clinic"), ("target", "another target"),
                      ("other_coach", "another coach")):  # fmt: skip
        if case.means.get(key):
            parts.append(word)
    return f" ({', '.join(parts)})" if parts else ""


def day(value: date) -> str:
    return f"{value.day} {value:%B %Y}"


def pace_of(sessions: Sequence[Session], pair: Pair, *, today: date) -> tuple[float, int]:
    """Sessions a week so far, at least a half, and how many minutes they take."""
    weeks = max((today - pair.started_at.date()).days / 7, 1)
    minutes = [row.minutes for row in sessions] or [USUAL_MINUTES]
    return max(len(sessions) / weeks, 0.5), round(sum(minutes) / len(minutes))


def hours(weeks: float, pace: tuple[float, int]) -> str:
    """
    The time of both in words.

    >>> hours(4, (1.0, 45))
    'about 6 hours of both together'
    """
    each, minutes = pace
    total = 2 * weeks * each * minutes / 60
    return f"about {total:.0f} hours of both together" if total >= 1.5 else "about an hour"


def offers_for(pair: Pair, *, now: datetime) -> list[waiting.Offer]:
    """The coaches the learner could go on with, the cheapest first, as if they waited."""
    queue = list(pair.cohort.waiting.filter(settled_at=None).order_by("place", "pk"))
    place = max((row.place for row in queue), default=0) + 1
    here = Waiting(
        pk=0,
        cohort=pair.cohort,
        learner=pair.learner,
        metric=pair.metric,
        after=pair,
        place=place,
        since=now,
        why=Waiting.Why.REDIRECTED,
    )
    line = waiting.line_of(pair.cohort, [*queue, here], now=now)
    if line is None:
        return []
    row = next((at for at, one in enumerate(line.waiting) if one is here), None)
    if row is None:
        return []
    found = [offer for offer in line.offers(row) if offer.coach.pk != pair.coach_id]
    return found[:MOST_OFFERS]


@dataclass(frozen=True, slots=True)
class Ways:
    """The three forms, and what each costs."""

    everything: EverythingForm
    redirect: RedirectForm
    accept: AcceptForm
    costs: dict[str, list[Cost]]
    offers: list[waiting.Offer]

    def of(self, decision: str):
        return {
            Case.Decision.EVERYTHING: self.everything,
            Case.Decision.REDIRECT: self.redirect,
            Case.Decision.ACCEPT: self.accept,
        }.get(decision)


def ways_of(
    request: HttpRequest, case: Case, *, sessions: Sequence[Session], look: Look | None = None
) -> Ways:
    """The forms of a case, the one that was sent filled in, with what everything costs."""
    pair, now = case.pair, request.now
    today = now.astimezone(request.person.zone).date()
    sent = request.POST.get("decision") if request.method == "POST" else None

    def given(decision: str):
        return request.POST if sent == decision else None

    helpers = cases.could_help(request.person, pair)
    others = list(cases.could_join(pair))
    leaders = list({row.coach_id: row.coach for row in [pair, *others]}.values())
    offers = offers_for(pair, now=now)
    pace = pace_of(sessions, pair, today=today)
    return Ways(
        everything=EverythingForm(
            given(Case.Decision.EVERYTHING),
            zone=request.person.zone,
            helpers=helpers,
            planned=list(cases.clinics_ahead(pair, now=now)),
            leaders=sorted(leaders, key=lambda one: (one.name, one.pk)),
            others=others,
            auto_id="id_everything_%s",
        ),
        redirect=RedirectForm(
            given(Case.Decision.REDIRECT), pair=pair, offers=offers, auto_id="id_redirect_%s"
        ),
        accept=AcceptForm(given(Case.Decision.ACCEPT), auto_id="id_accept_%s"),
        costs=costs_of(pair, pace, offers, today=today, look=look),
        offers=offers,
    )


def costs_of(
    pair: Pair,
    pace: tuple[float, int],
    offers: Sequence[waiting.Offer],
    *,
    today: date,
    look: Look | None = None,
) -> dict[str, list[Cost]]:
    """What each way costs: hours, score, and where the test date moves."""
    weeks = case_services.USUAL_WEEKS
    later = day(max(pair.test_date, today) + timedelta(weeks=weeks))
    seat = f"{pair.coach.name}'s seat stays taken for {words.count(weeks, 'more week')}"
    best = offers[0] if offers else None
    everything = [
        Cost("Time", f"{hours(weeks, pace)} in {words.count(weeks, 'week')}"),
        Cost("Test", f"moves from {day(pair.test_date)} to {later}"),
        Cost("Seat", seat),
        Cost("A helper", f"as much again, of the helper and {pair.learner.first_name}"),
        Cost("A clinic", "an hour of whoever leads it and of each who comes"),
    ]
    redirect = [
        Cost(
            "Another coach",
            f"{best.coach.name} would be next: score {best.score}, against {pair.score} now"
            if best
            else "nobody who fits has a free seat now; "
            f"{pair.learner.first_name} waits until one is found",
        ),
        Cost("Seat", f"one of {pair.coach.name}'s is free at once"),
        Cost("Target", "another one is written down with your reason, and both of them see it"),
        Cost("Test", f"stays on {day(pair.test_date)} with another coach; with another target it "
             f"moves to {later}"),
    ]  # fmt: skip
    way = ""
    if look is not None:
        start = pairs.start_of(pair)
        share = progress.share_of_way(start, look.level)
        way = f"{pair.learner.first_name} stays at {pair.read(look.level)}, " + (
            f"{100 * share:.0f} % of the way"
            if 0 < share < 1
            else "about where the start was"
            if share <= 0
            else "beyond the target by the last look"
        )
    accept = [
        Cost("Target", way or f"{pair.learner.first_name} does not reach {pair.target_text}"),
        Cost("Seat", f"one of {pair.coach.name}'s is free at once"),
        Cost("Afterwards", "these two are not paired again; the learner may raise a hand"),
    ]
    return {"everything": everything, "redirect": redirect, "accept": accept}


def clock_words(case: Case) -> str:
    """What ran out, and what that usually calls for."""
    return {
        Case.Clock.ACTIVITY: "They do not meet. More of the same rarely helps: find out what is "
        "in the way, a shift, a seat, or the two of them.",
        Case.Clock.OUTCOME: "They meet, and the number does not move. Another pair of eyes or "
        "another way of showing it helps more than more time.",
        Case.Clock.READINGS: "Nobody can tell, because no readings come in. Check the import "
        "before you decide anything about the two of them.",
    }[case.clock]
