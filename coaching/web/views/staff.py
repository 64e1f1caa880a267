"""My assignment: what a learner and a coach see of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from coaching.queries import helping, letters, metrics, pairs, rankings, waiting
from coaching.queries import people as people_queries
from coaching.services import people
from coaching.web import charts, words
from coaching.web.assignment import assignment_of
from coaching.web.doors import flash_form_errors, flashing, for_person
from coaching.web.forms import HandForm
from coaching.web.history import Estimate, history
from coaching.web.pair_forms import HelpForm
from coaching.web.views.pairs import forms_of

MOST_NEWS = 6
HISTORY_WEEKS = 26


@for_person
def me(request: HttpRequest) -> HttpResponse:
    reader, now = request.person, request.now
    today = now.astimezone(reader.zone).date()
    mine = [assignment_of(pair, reader, now=now) for pair in pairs.mine(reader)]
    learning = [one for one in mine if one.side == "learner"]
    coaching = [one for one in mine if one.side == "coach"]
    ordered = [*learning, *coaching]
    first = next((one for one in ordered if one.pair.is_active), next(iter(ordered), None))
    context = {
        "first": first,
        "learning": [one for one in learning if one is not first],
        "coaching": [one for one in coaching if one is not first],
        "helping": helping.helped_by(reader),
        "line": waiting.of(reader),
        "hands": metrics.hands_visible_to(reader).filter(person=reader, lowered_at=None),
        "hand_form": HandForm(reader=reader),
        "news": letters.news_for(reader, now=now)[:MOST_NEWS],
    }
    if first:
        pair = first.pair
        looks = list(pair.looks.all())
        context |= {
            "pair": pair,
            "assignment": first,
            "side": first.side,
            "sessions": first.past,
            "level": pair.read(looks[-1].level) if looks else "",
            "looks": looks,
            "why": words.why_pair(pair, reader),
            "picture": charts.progress_picture(
                pair,
                looks=looks,
                readings=pairs.readings_of(pair, reader),
                sessions=first.held,
                today=today,
            ),
        }
        if pair.is_active:
            context |= forms_of(request, first) | {"help_form": HelpForm()}
    return render(request, "staff/me.html", context)


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
        with flashing(request, "Your hand is up. The next plan takes you in."):
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
    with flashing(request, "Your hand is down again."):
        people.lower_hand(hand=row, by=request.person, now=request.now)
    return redirect("me")
