"""A stuck pair before whoever decides: what is known, what was tried, what each way costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coaching.domain import progress
from coaching.models import Case, Event, Look, Pair, Session, Waiting
from coaching.notifications.words import day
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
    told = []
    for row in earlier:
        values = {"coach": row.coach.name, "day": day(row.started_at.date())}
        if row.state == Pair.State.PASSED:
            told.append(_("%(coach)s coached from %(day)s on; the target was reached.") % values)
        else:
            values["ending"] = words.inside(row.get_ending_display())
            told.append(_("%(coach)s coached from %(day)s on; %(ending)s.") % values)
    for case in pair.cases.exclude(decided_at=None).order_by("episode"):
        values = {
            "day": day(case.decided_at.date()),
            "clock": words.inside(case.get_clock_display()),
            "decision": words.inside(case.get_decision_display()),
            "means": ", ".join(_means_of(case)),
        }
        told.append(
            _("%(day)s: %(clock)s, then “%(decision)s” (%(means)s).") % values
            if values["means"]
            else _("%(day)s: %(clock)s, then “%(decision)s”.") % values
        )
    for helper in pair.helpers.select_related("person").order_by("since"):
        told.append(
            _("%(name)s helped from %(day)s on.")
            % {"name": helper.person.name, "day": day(helper.since.date())}
        )
    for clinic in pair.clinics.filter(withdrawn_at=None).select_related("led_by"):
        told.append(
            _("A clinic with %(name)s on %(day)s.")
            % {"name": clinic.led_by.name, "day": day(clinic.starts_at.date())}
        )
    return told


def _means_of(case: Case) -> list[str]:
    """What a decision brought, each in a word or two."""
    means = {
        "helper": _("a helper"),
        "clinic": _("a clinic"),
        "target": _("another target"),
        "other_coach": _("another coach"),
    }
    weeks = case.means.get("weeks")
    more = [words.counted(weeks, _("more week,more weeks"))] if weeks else []
    return more + [word for key, word in means.items() if case.means.get(key)]


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
    if total < 1.5:
        return _("about an hour")
    return _("about %(hours)s hours of both together") % {"hours": f"{total:.0f}"}


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
    best = offers[0] if offers else None
    names = {
        "learner": pair.learner.first_name,
        "coach": pair.coach.name,
        "day": day(pair.test_date),
        "later": day(max(pair.test_date, today) + timedelta(weeks=weeks)),
        "target": pair.target_text,
    }
    everything = [
        Cost(
            _("Time"),
            ngettext("%(hours)s in %(weeks)s", "%(hours)s in %(weeks)s", weeks)
            % {"hours": hours(weeks, pace), "weeks": words.counted(weeks, _("week,weeks"))},
        ),
        Cost(_("Test"), _("moves from %(day)s to %(later)s") % names),
        Cost(
            _("Seat"),
            _("%(coach)s's seat stays taken for %(weeks)s")
            % {**names, "weeks": words.counted(weeks, _("more week,more weeks"))},
        ),
        Cost(_("A helper"), _("as much again, of the helper and %(learner)s") % names),
        Cost(_("A clinic"), _("an hour of whoever leads it and of each who comes")),
    ]
    redirect = [
        Cost(
            _("Another coach"),
            _("%(next)s would be next: score %(score)s, against %(now)s now")
            % {"next": best.coach.name, "score": best.score, "now": pair.score}
            if best
            else _("nobody who fits has a free seat now; %(learner)s waits until one is found")
            % names,
        ),
        Cost(_("Seat"), _("one of %(coach)s's is free at once") % names),
        Cost(
            _("Target"),
            _("another one is written down with your reason, and both of them see it"),
        ),
        Cost(
            _("Test"),
            _("stays on %(day)s with another coach; with another target it moves to %(later)s")
            % names,
        ),
    ]
    accept = [
        Cost(_("Target"), _where_left(pair, look, names)),
        Cost(_("Seat"), _("one of %(coach)s's is free at once") % names),
        Cost(
            _("Afterwards"),
            _("these two are not paired again; the learner may raise a hand"),
        ),
    ]
    return {"everything": everything, "redirect": redirect, "accept": accept}


def _where_left(pair: Pair, look: Look | None, names: dict[str, str]) -> str:
    """Where the learner is when the pair ends here."""
    if look is None:
        return _("%(learner)s does not reach %(target)s") % names
    share = progress.share_of_way(pairs.start_of(pair), look.level)
    told = {**names, "level": pair.read(look.level), "share": f"{100 * share:.0f} %"}
    if share <= 0:
        return _("%(learner)s stays at %(level)s, about where the start was") % told
    if share < 1:
        return _("%(learner)s stays at %(level)s, %(share)s of the way") % told
    return _("%(learner)s stays at %(level)s, beyond the target by the last look") % told


def clock_words(case: Case) -> str:
    """What ran out, and what that usually calls for."""
    return {
        Case.Clock.ACTIVITY: _(
            "They do not meet. More of the same rarely helps: find out what is in the way, a "
            "shift, a seat, or the two of them."
        ),
        Case.Clock.OUTCOME: _(
            "They meet, and the number does not move. Another pair of eyes or another way of "
            "showing it helps more than more time."
        ),
        Case.Clock.READINGS: _(
            "Nobody can tell, because no readings come in. Check the import before you decide "
            "anything about the two of them."
        ),
    }[case.clock]
