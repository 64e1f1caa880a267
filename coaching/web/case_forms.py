"""The three ways on for a stuck pair, each as a form of its own; and a pass to look at again."""

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django import forms
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from coaching.models import Case, Clinic, Cohort, Metric, Pair, Person
from coaching.notifications.words import tell
from coaching.queries.cases import Free
from coaching.services import cases, clinics, progress
from coaching.web.forms import Plain, day_input
from coaching.web.pair_forms import instant, time_input

NEXT_BEST = "next"


class DecisionForm(Plain):
    """What every decision has: a reason. `means` is what the service takes."""

    decision = ""
    note = forms.CharField(
        label=_("Why?"),
        max_length=cases.LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Both of them read this sentence."),
        error_messages={"required": _("Say in a sentence why; both of them will read it.")},
    )

    @property
    def means(self) -> cases.Means:
        return cases.Means()


class AcceptForm(DecisionForm):
    decision = Case.Decision.ACCEPT


class EverythingForm(DecisionForm):
    """More weeks, a second helper, a clinic: one of them or all."""

    decision = Case.Decision.EVERYTHING
    weeks = forms.IntegerField(
        label=_("More weeks"),
        min_value=cases.FEWEST_WEEKS,
        max_value=cases.MOST_WEEKS,
        initial=cases.USUAL_WEEKS,
    )
    helper = forms.ChoiceField(label=_("A second helper"), required=False)
    clinic = forms.ChoiceField(label=_("A clinic"), required=False)
    led_by = forms.ChoiceField(label=_("Who leads it"), required=False)
    day = forms.DateField(label=_("Day"), widget=day_input(), required=False)
    at = forms.TimeField(label=_("Time"), widget=time_input(), required=False)
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=clinics.SHORTEST,
        max_value=clinics.LONGEST,
        initial=60,
        required=False,
    )
    place = forms.CharField(label=_("Where"), max_length=200, required=False)
    joins = forms.MultipleChoiceField(
        label=_("Who else joins"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nobody is told who else comes."),
    )
    field_order = (
        "weeks", "helper", "clinic", "led_by", "day", "at", "minutes", "place", "joins", "note",
    )  # fmt: skip

    def __init__(
        self,
        *args,
        zone: ZoneInfo,
        helpers: Sequence[Free],
        planned: Sequence[Clinic],
        leaders: Sequence[Person],
        others: Sequence[Pair],
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.helpers = {one.person.public_id: one.person for one in helpers}
        self.planned = {one.public_id: one for one in planned}
        self.leaders = {one.public_id: one for one in leaders}
        self.others = {one.public_id: one for one in others}
        self.fields["helper"].choices = [
            ("", gettext("Nobody")),
            *((one.person.public_id, _with_load(one)) for one in helpers),
        ]
        self.fields["clinic"].choices = [
            ("", pgettext("clinic", "None")),
            *((one.public_id, _when(one, zone)) for one in planned),
            *([("new", gettext("A new one, as below"))] if leaders else []),
        ]
        self.fields["led_by"].choices = [(key, one.name) for key, one in self.leaders.items()]
        self.fields["joins"].choices = [(key, one.learner.name) for key, one in self.others.items()]
        self.fields["joins"].widget.attrs["class"] = "form-check-input"

    def clean(self) -> dict:
        given = super().clean()
        if given.get("clinic") == "new":
            needed = {
                "led_by": _("A new clinic needs who leads it."),
                "day": _("A new clinic needs its day."),
                "at": _("A new clinic needs its time."),
            }
            for name, refusal in needed.items():
                if not given.get(name):
                    self.add_error(name, refusal)
        return given

    @property
    def means(self) -> cases.Means:
        given = self.cleaned_data
        new = None
        if given["clinic"] == "new":
            new = cases.NewClinic(
                led_by=self.leaders[given["led_by"]],
                starts_at=instant(given["day"], given["at"], self.zone),
                minutes=given["minutes"] or 60,
                place=given["place"],
                pairs=tuple(self.others[key] for key in given["joins"]),
            )
        return cases.Means(
            weeks=given["weeks"],
            helper=self.helpers.get(given["helper"]),
            clinic=self.planned.get(given["clinic"]),
            new_clinic=new,
        )


class RedirectForm(DecisionForm):
    """Another coach, or another target."""

    decision = Case.Decision.REDIRECT
    way = forms.ChoiceField(
        label=_("Which way?"),
        choices=[("coach", _("Another coach")), ("target", _("Another target"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose another coach or another target.")},
    )
    coach = forms.ChoiceField(label=_("Coach"), required=False)
    target = forms.CharField(label=_("Target"), max_length=20, required=False)
    weeks = forms.IntegerField(
        label=_("More weeks"),
        min_value=cases.FEWEST_WEEKS,
        max_value=cases.MOST_WEEKS,
        initial=cases.USUAL_WEEKS,
        help_text=_("For another target."),
    )
    field_order = ("way", "coach", "target", "weeks", "note")

    def __init__(self, *args, pair: Pair, offers: Sequence, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.pair = pair
        self.coaches = {offer.coach.public_id: offer.coach for offer in offers}
        self.fields["coach"].choices = [
            (NEXT_BEST, gettext("The next best, proposed the same day")),
            *((offer.coach.public_id, _priced(offer)) for offer in offers),
        ]
        self.fields["target"].help_text = gettext(
            "In the skill's own units; it is %(target)s now, the start was %(start)s."
        ) % {"target": pair.target_text, "start": pair.baseline_text}

    def clean(self) -> dict:
        given = super().clean()
        if given.get("way") == "target":
            try:
                given["value"] = working(self.pair.metric, given.get("target", ""))
            except ValueError:
                self.add_error(
                    "target",
                    gettext("Write the target as a number, such as %(such)s.")
                    % {"such": self._such},
                )
            else:
                refusal = cases.why_no_target(self.pair, given["value"])
                if refusal:
                    self.add_error("target", tell(refusal))
        return given

    @property
    def _such(self) -> str:
        return self.pair.target_text.split()[0]

    @property
    def means(self) -> cases.Means:
        given = self.cleaned_data
        if given["way"] == "target":
            return cases.Means(weeks=given["weeks"], target=given["value"])
        return cases.Means(other_coach=True, coach=self.coaches.get(given["coach"]))


def working(metric: Metric, text: str) -> float:
    """
    What somebody writes as a target, on the metric's working scale.

    >>> working(Metric(kind="proportion"), "82.5 %"), working(Metric(kind="mean"), "4,2")
    (0.825, 4.2)
    >>> round(math.exp(working(Metric(kind="duration"), "5:40")))
    340

    :raises ValueError:
    """
    text = text.strip().replace(",", ".").rstrip("%").strip()
    if metric.kind == Metric.Kind.DURATION:
        minutes, colon, seconds = text.removesuffix("min").strip().rpartition(":")
        value = 60 * float(minutes) + float(seconds) if colon else float(text.rstrip("s ").strip())
        return math.log(value)
    value = float(text.split()[0] if text.split() else text)
    if not math.isfinite(value):
        raise ValueError(text)
    if metric.kind in (Metric.Kind.PROPORTION, Metric.Kind.RATE):
        return value / 100
    return value


def _with_load(one: Free) -> str:
    if not (one.busy or one.helps):
        return gettext("%(name)s (free)") % {"name": one.person.name}
    return gettext("%(name)s (coaches %(busy)s, helps %(helps)s)") % {
        "name": one.person.name,
        "busy": one.busy,
        "helps": one.helps,
    }


def _when(clinic: Clinic, zone: ZoneInfo) -> str:
    return gettext("%(at)s, led by %(name)s") % {
        "at": formatted(clinic.starts_at.astimezone(zone), gettext("j F, H:i")),
        "name": clinic.led_by.name,
    }


def _priced(offer) -> str:
    told = {"name": offer.coach.name, "score": offer.score}
    if offer.lost_seats:
        return gettext("%(name)s (score %(score)s, takes the seat of somebody who waits)") % told
    return gettext("%(name)s (score %(score)s)") % told


class ReviewForm(Plain):
    """A pass whose readings were corrected."""

    answer = forms.ChoiceField(
        label=_("What shall happen?"),
        choices=[("confirm", _("The pass stands")), ("reopen", _("They go on, openly"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("Why?"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stays with the pass. If they go on, both of them read it."),
    )


class ClocksForm(Plain):
    """How long a cohort's pairs may go on before somebody has to decide."""

    first_session_days = forms.IntegerField(label=_("To a first session, days"))
    next_session_days = forms.IntegerField(label=_("Between sessions, days"))
    readings_days = forms.IntegerField(label=_("Without readings, days"))
    looks_without_movement = forms.IntegerField(label=_("Without movement, weekly looks"))

    def __init__(self, *args, cohort: Cohort, **kwargs) -> None:
        names = self.base_fields
        super().__init__(*args, initial={name: getattr(cohort, name) for name in names}, **kwargs)
        for name, bound in self.fields.items():
            looks = name == "looks_without_movement"
            least = progress.FEWEST_LOOKS if looks else progress.FEWEST_DAYS
            most = progress.MOST_LOOKS if looks else progress.MOST_DAYS
            bound.min_value, bound.max_value = least, most
            bound.widget.attrs |= {"min": least, "max": most, "inputmode": "numeric"}
