"""Pages for the person who runs the server; they need no person of their own."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coaching.models import Band, Letter, Pair
from coaching.queries import status
from coaching.web import charts, icons, samples, timeline
from coaching.web.doors import for_server_staff
from coaching.web.forms import Plain


@for_server_staff
def status_page(request: HttpRequest) -> HttpResponse:
    return render(request, "server/status.html", {"status": status.look(now=request.now)})


class SampleForm(Plain):
    """A field of each sort; nothing is done with it."""

    name = forms.CharField(label=_("Name"), help_text=_("As it stands in the exports."))
    kind = forms.ChoiceField(label=_("Kind"), choices=[("a", _("One thing")), ("b", _("Another"))])
    sure = forms.ChoiceField(
        label=_("How sure?"),
        choices=[("evidence", _("Only with evidence")), ("leaning", _("More likely than not"))],
        widget=forms.RadioSelect,
        initial="evidence",
    )
    note = forms.CharField(
        label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False
    )


@for_server_staff
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state, so that a change to one can be seen at once."""
    refused = SampleForm(
        {"name": "", "kind": "b", "note": gettext("Two sentences. At most.")}, prefix="no"
    )
    refused.is_valid()
    pair = samples.pair(request.now)
    kinds = list(timeline.KINDS.items())
    return render(
        request,
        "server/styleguide.html",
        {
            "states": list(Pair.State),
            "bands": list(Band),
            "letter_states": list(Letter.State),
            "icons": sorted(icons.PATHS),
            "tones": ["primary", "passed", "on_track", "at_risk", "stuck", "neutral", "open"],
            "segments": charts.meter({"passed": 3, "on_track": 8, "at_risk": 1, "stuck": 1}),
            "shares": charts.shares(
                [
                    {"metric": "csat", "name": gettext("Customer satisfaction"), "points": 420},
                    {"metric": "handle", "name": gettext("Handle time"), "points": 230},
                    {"metric": "", "name": gettext("Same site"), "points": 100},
                ]
            ),
            "interval": {"low": 30, "width": 32, "here": 47, "mean": 60},
            "pair": pair,
            "picture": samples.picture(pair, request.now),
            "strip": samples.estimates(),
            "steps": samples.way(),
            "timeline": {
                "weeks": samples.story(request.now),
                "count": 3,
                "kinds": kinds,
                "open": 1,
            },
            "refused": refused,
            "form": SampleForm(),
        },
    )
