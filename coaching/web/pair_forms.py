"""What the two of a pair fill in: sessions, the week's page, a call for help."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from coaching.domain import cadence
from coaching.models import Session, Worksheet
from coaching.services.sessions import LONGEST, SHORTEST
from coaching.services.thanks import LONGEST as LONGEST_THANKS
from coaching.services.worksheets import LONGEST as LONGEST_PAGE
from coaching.web.forms import Plain, day_input


def time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class SessionForm(Plain):
    """A meeting that took place."""

    held_on = forms.DateField(label=_("When did you meet?"), widget=day_input())
    note = forms.CharField(
        label=_("What did you agree on?"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("One sentence is plenty")}),
        help_text=_("You, your partner and your manager can read this."),
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        super().__init__(*args, initial={"held_on": today}, **kwargs)
        self.fields["held_on"].widget.attrs["max"] = today.isoformat()


class PlanSessionForm(Plain):
    """
    A meeting to come, on the reader's own clock; `cleaned_data["starts_at"]` is the instant.

    session : the one that gets another time, if it is not a new one
    """

    day = forms.DateField(label=_("Day"), widget=day_input())
    at = forms.TimeField(label=_("Time"), widget=time_input())
    minutes = forms.IntegerField(label=_("Minutes"), min_value=SHORTEST, max_value=LONGEST)
    place = forms.CharField(
        label=_("Where"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("A room, or a link")}),
    )

    def __init__(
        self, *args, zone: ZoneInfo, today: date, session: Session | None = None, **kwargs
    ) -> None:
        self.zone = zone
        initial = {"day": _working_day(today + timedelta(days=1)), "at": time(10), "minutes": 45}
        if session:
            local = session.starts_at.astimezone(zone)
            initial = {"day": local.date(), "at": local.time(), "minutes": session.minutes,
                       "place": session.place}  # fmt: skip
            kwargs.setdefault("auto_id", f"id_{session.pk}_%s")
        else:
            kwargs.setdefault("auto_id", "id_plan_%s")
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["day"].widget.attrs["min"] = today.isoformat()

    def clean(self) -> dict:
        given = super().clean()
        if given.get("day") and given.get("at"):
            given["starts_at"] = instant(given.pop("day"), given.pop("at"), self.zone)
        return given


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which a clock in `zone` shows that; an hour that is skipped is taken later."""
    return cadence.occurrence(day, at, zone)


def _working_day(day: date) -> date:
    return day + timedelta(days=max(7 - day.weekday(), 0) if day.weekday() >= 5 else 0)


class LearnerPageForm(Plain):
    went = forms.CharField(
        label=_("What went how?"),
        required=False,
        max_length=LONGEST_PAGE,
        widget=forms.Textarea(
            attrs={"rows": 5, "placeholder": _("One case that went well, one that did not")}
        ),
    )
    will_try = forms.CharField(
        label=_("What will I try next?"),
        required=False,
        max_length=LONGEST_PAGE,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": _("One thing, small enough to do")}),
    )

    def __init__(self, *args, sheet: Worksheet, **kwargs) -> None:
        initial = {"went": sheet.went, "will_try": sheet.will_try}
        super().__init__(*args, initial=initial, **kwargs)


class CoachPageForm(Plain):
    coach_does = forms.CharField(
        label=_("What do I do here?"),
        max_length=LONGEST_PAGE,
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": _("What you would try; what you show next time")}
        ),
        error_messages={"required": _("Write at least a sentence.")},
    )

    def __init__(self, *args, sheet: Worksheet, **kwargs) -> None:
        super().__init__(*args, initial={"coach_does": sheet.coach_does}, **kwargs)


class HelpForm(Plain):
    note = forms.CharField(
        label=_("What would help?"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Only your manager reads this."),
    )

    def __init__(self, *args, **kwargs) -> None:
        # It stands beside other forms that have a note.
        super().__init__(*args, auto_id="id_help_%s", **kwargs)


class ThanksForm(Plain):
    """A sentence to one's coach."""

    text = forms.CharField(
        label=_("In a sentence"),
        max_length=LONGEST_THANKS,
        widget=forms.TextInput(attrs={"placeholder": _("What helped?")}),
    )
