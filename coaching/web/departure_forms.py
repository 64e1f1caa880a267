"""What is filled in when somebody is away, waits or is asked to help."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _

from coaching.web.forms import Plain, day_input


class AwayForm(Plain):
    """Days on which somebody is not there."""

    first_day = forms.DateField(label=_("First day away"), widget=day_input())
    last_day = forms.DateField(
        label=_("Last day away"),
        widget=day_input(),
        required=False,
        help_text=_("Leave it empty if nobody knows yet."),
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        super().__init__(*args, initial={"first_day": today}, **kwargs)
        self.fields["last_day"].widget.attrs["min"] = today.isoformat()


class AcceptForm(Plain):
    """Which coach somebody who waits gets, by public id; empty for the proposed one."""

    coach = forms.CharField(max_length=12, required=False)


class DropForm(Plain):
    note = forms.CharField(
        label=_("Why do they not wait any more?"),
        max_length=300,
        error_messages={"required": _("Say in a sentence why; the cohort keeps it.")},
    )


class HelperForm(Plain):
    """Who is asked to help, by public id."""

    person = forms.CharField(max_length=12)


class WillingForm(Plain):
    willing = forms.TypedChoiceField(
        choices=(("yes", _("Yes")), ("no", _("No"))), coerce=lambda word: word == "yes"
    )
