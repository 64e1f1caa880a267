"""What people fill in. Rules that guard the database are the services'; here is the rest."""

from datetime import date, timedelta

from django import forms

from coaching.models import Case, Cohort, Metric, Person, Rule, Team
from coaching.queries import metrics, teams
from coaching.services.cohorts import DEFAULT_LENGTH


class Plain(forms.Form):
    """Our look on Django's fields; the template says where errors stand."""

    required_css_class = "required"

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for bound in self.fields.values():
            widget = bound.widget
            if isinstance(widget, forms.Select) and not isinstance(widget, forms.RadioSelect):
                widget.attrs.setdefault("class", "form-select")
            elif not isinstance(widget, forms.RadioSelect | forms.CheckboxInput):
                widget.attrs.setdefault("class", "form-control")

    def full_clean(self) -> None:
        super().full_clean()
        for name in self.fields.keys() & self.errors.keys():
            self.fields[name].widget.attrs["aria-invalid"] = "true"


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class SessionForm(Plain):
    held_on = forms.DateField(label="When did you meet?", widget=day_input())
    note = forms.CharField(
        label="What did you agree on?",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "One sentence is plenty"}),
        help_text="You, your partner and your manager can read this.",
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        super().__init__(*args, initial={"held_on": today}, **kwargs)
        self.fields["held_on"].widget.attrs["max"] = today.isoformat()


class DecisionForm(Plain):
    decision = forms.ChoiceField(
        label="What shall happen?",
        choices=[
            (Case.Decision.EVERYTHING, Case.Decision.EVERYTHING.label),
            (Case.Decision.ACCEPT, Case.Decision.ACCEPT.label),
        ],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label="Why?",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Both of them read this sentence.",
    )


class HandForm(Plain):
    metric = forms.ModelChoiceField(
        label="In which skill?", queryset=Metric.objects.none(), empty_label=None
    )
    note = forms.CharField(
        label="What would help?",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "Not needed, but useful for your coach"}),
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metric"].queryset = metrics.visible_to(reader)


class UploadForm(Plain):
    file = forms.FileField(
        label="Your export",
        error_messages={"required": "Choose a file first.", "empty": "This file is empty."},
    )
    team = forms.ModelChoiceField(
        label="Team for people who are new",
        queryset=Team.objects.none(),
        help_text="People Lanemate knows already stay in their team.",
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        managed = teams.managed_by(reader).order_by("path")
        self.fields["team"].queryset = managed
        self.fields["team"].empty_label = None if managed.exists() else "No team yet"
        self.fields["team"].required = managed.exists()
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.ods"


class TeamForm(Plain):
    """Which team to rank."""

    team = forms.ModelChoiceField(
        label="Rank a team", queryset=Team.objects.none(), empty_label=None
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams.managed_by(reader).order_by("path")


class CohortForm(Plain):
    name = forms.CharField(
        label="Name", max_length=120, widget=forms.TextInput(attrs={"placeholder": "Autumn"})
    )
    test_date = forms.DateField(
        label="Test date",
        widget=day_input(),
        help_text="At least four weeks ahead. Nobody is sent home then: who is not there yet "
        "goes on, with help.",
    )
    target_form = forms.ChoiceField(
        label="Target for each learner", choices=Cohort.Target, widget=forms.RadioSelect
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        initial = {"test_date": today + DEFAULT_LENGTH, "target_form": Cohort.Target.GAP_TOP}
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["test_date"].widget.attrs["min"] = (today + timedelta(weeks=4)).isoformat()


class PairForm(Plain):
    """A learner and a coach of a plan, by public id."""

    learner = forms.CharField(max_length=12)
    coach = forms.CharField(max_length=12)
    kind = forms.ChoiceField(choices=Rule.Kind)


class SeatsForm(Plain):
    coach = forms.CharField(max_length=12)
    seats = forms.IntegerField(min_value=0, max_value=50)


class MemberForm(Plain):
    person = forms.CharField(max_length=12)
    note = forms.CharField(max_length=300, required=False)


class LaunchForm(Plain):
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
