"""My assignment: what a learner and a coach see of it."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from coaching.queries import helping, letters, metrics, pairs, peers, rankings, waiting
from coaching.queries import people as people_queries
from coaching.services import people
from coaching.web import charts, words
from coaching.web.assignment import Assignment, assignment_of, by_need
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.forms import HandForm
from coaching.web.history import Estimate, history
from coaching.web.pair_forms import HelpForm
from coaching.web.views.pairs import forms_of

MOST_NEWS = 6
HISTORY_WEEKS = 26
# So long a pass stays on top of the page; after that it is an earlier pair.
PASS_ON_TOP = timedelta(weeks=4)


@for_person
def me(request: HttpRequest) -> HttpResponse:
    """
    One's own assignment: as a learner first, else as a coach of one, else of several.
    """
    reader, now = request.person, request.now
    mine = [assignment_of(pair, reader, now=now) for pair in pairs.mine(reader)]
    active = [one for one in mine if one.pair.is_active]
    learning = by_need([one for one in active if one.side == "learner"])
    coaching = by_need([one for one in active if one.side == "coach"])
    first = next(iter(learning), coaching[0] if len(coaching) == 1 else None)
    if not active:
        first = next((one for one in mine if _fresh_pass(one, now)), None)
    context = own_ways(request) | {
        "first": first,
        "learning": [one for one in learning if one is not first],
        "coaching": [one for one in coaching if one is not first],
        "overview": coaching if first is None else [],
        "coach_line": words.coach_line([one.presses for one in coaching]),
        "earlier": [one for one in mine if not one.pair.is_active and one is not first][::-1],
        "helping": helping.helped_by(reader),
        "line": waiting.of(reader),
        "busy": bool(active),
    }
    if first:
        context |= _in_full(request, first)
    return render(request, "staff/me.html", context)


def own_ways(request: HttpRequest) -> dict:
    """What everybody may do for themselves, and their news."""
    reader = request.person
    return {
        "hands": metrics.hands_visible_to(reader).filter(person=reader, lowered_at=None),
        "hand_form": HandForm(reader=reader),
        "news": letters.news_for(reader, now=request.now)[:MOST_NEWS],
    }


def _fresh_pass(one: Assignment, now: datetime) -> bool:
    passed_at = one.pair.passed_at if one.side == "learner" else None
    return passed_at is not None and passed_at > now - PASS_ON_TOP


def _in_full(request: HttpRequest, first: Assignment) -> dict:
    """A pair with its picture, its sessions and the forms beside them."""
    reader, pair = request.person, first.pair
    looks = list(pair.looks.all())
    context = {
        "pair": pair,
        "side": first.side,
        "sessions": first.past,
        "looks": looks,
        "why": words.why_pair(pair, reader),
        "decides": words.who_decides(pair, reader),
        "picture": charts.progress_picture(
            pair,
            looks=looks,
            readings=pairs.readings_of(pair, reader),
            sessions=first.held,
            today=request.now.astimezone(reader.zone).date(),
            expected=peers.without_coaching(pair, weeks=[look.week for look in looks]),
        ),
    }
    if pair.is_active:
        context |= forms_of(request, first) | {"help_form": HelpForm()}
    return context


@for_person
def skills(request: HttpRequest) -> HttpResponse:
    """One's own skills against benchmarks; nobody reads a rank of themselves or of others."""
    reader = request.person
    own = rankings.own_standings(reader)
    shown = []
    if own:
        readings = people_queries.readings_of(
            reader, reader, until=own.ranking.until, weeks=HISTORY_WEEKS
        )
        earlier = rankings.earlier_estimates(own.ranking, reader)
        for skill in own.skills:
            past = history(
                skill.metric,
                readings=readings.get(skill.metric.pk, []),
                estimates=[
                    Estimate(row.ranking.until, row.estimate, row.se)
                    for row, _ in earlier.get(skill.metric.pk, [])
                ],
                sigma2=skill.sigma2,
                peers=skill.peers,
                best=skill.best,
            )
            shown.append((skill, charts.own_interval(skill), past))
    return render(request, "staff/skills.html", {"own": own, "skills": shown})


@require_POST
@for_person
def hand_raise(request: HttpRequest) -> HttpResponse:
    form = HandForm(request.POST, reader=request.person)
    if form.is_valid():
        with flashing(request, gettext("Your hand is up. The next plan takes you in.")):
            people.raise_hand(person=request.person, now=request.now, **form.cleaned_data)
    else:
        flash_form_errors(request, form)
    return redirect("me")


@require_POST
@for_person
def hand_lower(request: HttpRequest, hand: int) -> HttpResponse:
    row = get_object_or_404(
        metrics.hands_visible_to(request.person).filter(person=request.person), pk=hand
    )
    with flashing(request, gettext("Your hand is down again.")):
        people.lower_hand(hand=row, by=request.person, now=request.now)
    return redirect("me")
