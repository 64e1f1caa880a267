"""Who would be selected under which policy, what another width changes, and whether it is fair."""

import math

import numpy as np
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from coaching.domain import selection as engine
from coaching.models import Ranking, Scorecard
from coaching.notifications.words import tell
from coaching.queries import access, rankings, selection
from coaching.services.cohorts import OnlyPeople
from coaching.web import words
from coaching.web.doors import for_manager
from coaching.web.forms import WhatIfForm
from coaching.web.offers import Asked, listed, offers
from coaching.web.paging import page_of


@for_manager
def selection_page(request: HttpRequest, ranking: str) -> HttpResponse:
    row = access.found_or_404(rankings.visible_to(request.person), ranking)
    if row.subject != Scorecard.Subject.PEOPLE:
        messages.error(request, tell(OnlyPeople.message))
        return redirect("ranking", row.public_id)
    usual = usual_of(row)
    form, asked = asked_of(request, usual)
    before = selection.field_of(row)
    field = before.at(asked.q)
    labels = {policy: field.choose(policy, quota=asked.quota) for policy in Scorecard.Policy.values}
    chosen = labels[asked.policy]
    was = before.choose(asked.policy, quota=asked.quota)
    learners = engine.moves(was.learner, chosen.learner)
    coaches = engine.moves(was.coach, chosen.coach)
    open_ = engine.undecided(chosen, field.band) & field.active
    names = listed(
        field,
        {
            **{(policy, "learner"): (one.learner, field.p_low) for policy, one in labels.items()},
            **{(policy, "coach"): (one.coach, field.p_high) for policy, one in labels.items()},
            ("learner", "enters"): (learners.enters, field.p_low),
            ("learner", "leaves"): (learners.leaves, field.p_low),
            ("coach", "enters"): (coaches.enters, field.p_high),
            ("coach", "leaves"): (coaches.leaves, field.p_high),
            ("open", "stays"): (open_, np.maximum(field.p_low, field.p_high)),
        },
    )
    swimming = np.isin(field.person, list(selection.swimming_in(row)))
    hands = list(selection.hands_in(row))
    ranked = set(field.person[chosen.learner].tolist())
    for hand in hands:
        hand.ranked_too = hand.person_id in ranked
    return render(
        request,
        "manager/selection.html",
        {
            "ranking": row,
            "form": form,
            "asked": asked,
            "moved": asked.q != usual.q,
            "width": words.quarter(asked.q),
            "usual_width": words.quarter(usual.q),
            "offers": offers(asked, labels, names, swimming),
            "moves": [
                (title, names[side, "enters"], names[side, "leaves"], int(moves.stays.sum()))
                for title, side, moves in (
                    (gettext("Learners"), "learner", learners),
                    (gettext("Coaches"), "coach", coaches),
                )
            ],
            "undecided": names["open", "stays"],
            "hands": hands,
            "added": sum(not hand.ranked_too for hand in hands),
            "labelled": chosen.learners,
            "people": int(field.active.sum()),
            **_fairness(field, chosen),
        },
    )


def usual_of(ranking: Ranking) -> Asked:
    """How a cohort from this ranking is selected unless somebody says otherwise."""
    return Asked(ranking.scorecard.policy, selection.width_of(ranking))


def asked_of(request: HttpRequest, usual: Asked) -> tuple[WhatIfForm, Asked]:
    """
    What the address asks for; where it does not fit, the form says so and the usual is shown.
    """
    asks = request.GET.keys() & WhatIfForm.base_fields.keys()
    form = WhatIfForm(
        request.GET if asks else {"policy": usual.policy, "q": f"{100 * usual.q:.10g}"}
    )
    if not form.is_valid():
        return form, usual
    given = form.cleaned_data
    return form, Asked(
        given["policy"] or usual.policy, given["q"] or usual.q, given["quota"] or None
    )


def _fairness(field: selection.Field, chosen: engine.Labels) -> dict:
    """The learners by tenure, shift, site and part-time, with warnings in words."""
    tables = field.fairness(chosen.learner)
    compared = {name: rows for name, rows in tables.items() if len(rows) > 1}
    alone = {name: rows[0].value for name, rows in tables.items() if len(rows) == 1}
    widest = max((row.high or 0.0 for rows in compared.values() for row in rows), default=0.0)
    # All bars on one scale, from nothing to the next full ten per cent.
    end = max(math.ceil(10 * widest) / 10, 0.1)
    return {
        "fairness": [
            (name, [(row, _drawn(row, end)) for row in rows]) for name, rows in compared.items()
        ],
        "end": end,
        "unknown": [name for name, value in alone.items() if value == engine.UNKNOWN],
        "same_for_all": [(name, value) for name, value in alone.items() if value != engine.UNKNOWN],
        "warnings": [
            words.out_of_proportion(name, row)
            for name, rows in compared.items()
            for row in rows
            if row.lean > 0
        ],
    }


def _drawn(row: engine.Share, end: float) -> dict[str, float | str | None] | None:
    """
    A share and its interval in per cent of a drawing that ends at the share `end`; its line is
    everybody else's share.
    """
    if row.share is None or row.low is None or row.high is None:
        return None
    rest = row.rest_labelled / row.rest_people if row.rest_people else None
    return {
        "low": 100 * row.low / end,
        "width": 100 * (row.high - row.low) / end,
        "here": 100 * row.share / end,
        "mean": None if rest is None else 100 * min(rest / end, 1.0),
        "text": f"{100 * row.low:.0f}–{100 * row.high:.0f} %",
    }


@for_manager
def hand_list(request: HttpRequest) -> HttpResponse:
    """Everybody in one's teams who asks for a coach."""
    newest = rankings.visible_to(request.person).filter(subject=Scorecard.Subject.PEOPLE)
    return render(
        request,
        "manager/hands.html",
        {
            "page": page_of(request, selection.hands_open_to(request.person), size=100),
            "ranking": newest.order_by("-created_at", "-pk").first(),
        },
    )
