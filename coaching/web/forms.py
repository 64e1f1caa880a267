"""What people fill in. Rules that guard the database are the services'; here is the rest."""

from datetime import date, timedelta

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coaching.domain.selection import NARROWEST, WIDEST
from coaching.models import Cohort, Member, Metric, Person, Plan, Rule, Scorecard, Team
from coaching.queries import metrics, teams
from coaching.services.cohorts import DEFAULT_LENGTH, MOST_SEATS
from coaching.services.scorecards import HEAVIEST, MOST_EVIDENCE, MOST_WEEKS
from coaching.web.mapping_form import ATTRIBUTES

# Learners that one coach can be given at a time; points that one preference can be worth.
MOST_LEARNERS = 50
MOST_POINTS = 500


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


class HandForm(Plain):
    metric = forms.ModelChoiceField(
        label=_("In which skill?"), queryset=Metric.objects.none(), empty_label=None
    )
    note = forms.CharField(
        label=_("What would help?"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("Not needed, but useful for your coach")}),
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        # It stands beside other forms that have a note.
        super().__init__(*args, auto_id="id_hand_%s", **kwargs)
        self.fields["metric"].queryset = metrics.visible_to(reader)


class UploadForm(Plain):
    file = forms.FileField(
        label=_("Your export"),
        error_messages={"required": _("Choose a file first."), "empty": _("This file is empty.")},
    )
    team = forms.ModelChoiceField(
        label=_("Team for people who are new"),
        queryset=Team.objects.none(),
        help_text=_("People Lanemate knows already stay in their team."),
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        managed = teams.managed_by(reader).order_by("path")
        self.fields["team"].queryset = managed
        self.fields["team"].empty_label = None if managed.exists() else _("No team yet")
        self.fields["team"].required = managed.exists()
        self.fields["file"].widget.attrs["accept"] = ".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.ods"


class TeamForm(Plain):
    """Which team to rank."""

    team = forms.ModelChoiceField(
        label=_("Rank a team"), queryset=Team.objects.none(), empty_label=None
    )

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams.managed_by(reader).order_by("path")


class PercentField(forms.FloatField):
    """A share between two others, asked for and shown in per cent."""

    def __init__(self, *, least: float, most: float, **kwargs) -> None:
        kwargs["widget"] = forms.NumberInput(attrs={"step": "any", **kwargs.pop("attrs", {})})
        out = format_lazy(
            _("Give a number from {least} to {most}."),
            least=f"{100 * least:.0f}",
            most=f"{100 * most:.0f}",
        )
        super().__init__(
            min_value=100 * least,
            max_value=100 * most,
            error_messages={"min_value": out, "max_value": out},
            **kwargs,
        )

    def clean(self, value: object) -> float | None:
        percent = super().clean(value)
        # No digits that nobody typed: 35 % is 0.35.
        return None if percent is None else round(percent / 100, 6)

    def prepare_value(self, value: object) -> object:
        # What was typed comes back as text, as it was.
        return f"{100 * value:.10g}" if isinstance(value, float) else value


class WhatIfForm(Plain):
    """How a cohort would be selected; fields left empty are as the ranking has them."""

    policy = forms.ChoiceField(
        label=_("Policy"),
        choices=lambda: [(policy.value, policy.label.split(":")[0]) for policy in Scorecard.Policy],
        required=False,
    )
    q = PercentField(
        label=format_lazy("{}, %", _("Band width")),
        least=NARROWEST,
        most=WIDEST,
        required=False,
        attrs={"size": 4},
    )
    quota = forms.IntegerField(
        label=_("Quota: from each end"),
        min_value=1,
        max_value=MOST_SEATS,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("by width")}),
    )


class CohortForm(Plain):
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": _("Autumn")}),
    )
    test_date = forms.DateField(
        label=_("Test date"),
        widget=day_input(),
        help_text=_(
            "At least four weeks ahead. Nobody is sent home then: who is not there yet goes on, "
            "with help."
        ),
    )
    target_form = forms.ChoiceField(
        label=_("Target for each learner"), choices=Cohort.Target, widget=forms.RadioSelect
    )

    def __init__(self, *args, today: date, initial: dict | None = None, **kwargs) -> None:
        usual = {"test_date": today + DEFAULT_LENGTH, "target_form": Cohort.Target.GAP_TOP}
        super().__init__(*args, initial=usual | (initial or {}), **kwargs)
        self.fields["test_date"].widget.attrs["min"] = (today + timedelta(weeks=4)).isoformat()


class ScorecardForm(Plain):
    """Everything of a scorecard that can be changed; a skill without a weight is not on it."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(label=_("Name"), max_length=120)
    weeks = forms.IntegerField(
        label=_("Weeks of readings"),
        min_value=1,
        max_value=MOST_WEEKS,
        help_text=_("The newest weeks that count. More weeks say more about less recent work."),
    )
    q = PercentField(
        label=format_lazy("{}, %", _("Band width")),
        least=NARROWEST,
        most=WIDEST,
        help_text=_("The part of the peers that is called worst or best: 25 is a quarter."),
    )
    minimum_n = forms.FloatField(
        label=_("Minimum evidence"),
        min_value=0,
        max_value=MOST_EVIDENCE,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text=_("Observations of a skill. Whoever has fewer counts as having none of it."),
    )
    peers_by = forms.MultipleChoiceField(
        label=_("Peers are people of the same …"),
        choices=[(name, ATTRIBUTES[name]) for name in Person.ATTRIBUTES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    policy = forms.ChoiceField(
        label=_("Policy for new cohorts"), choices=Scorecard.Policy, widget=forms.RadioSelect
    )

    def __init__(self, *args, card: Scorecard, metrics: list[Metric], **kwargs) -> None:
        weights = {row.metric_id: row.weight for row in card.weights.all()}
        initial = {
            "version": card.version,
            "name": card.name,
            "weeks": card.weeks,
            "q": card.q,
            "minimum_n": f"{card.minimum_n:g}",
            "peers_by": card.peers_by,
            "policy": card.policy,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.metrics = metrics
        for metric in metrics:
            weight = weights.get(metric.pk)
            self.fields[self._weight(metric)] = forms.FloatField(
                label=metric.name,
                min_value=0,
                max_value=HEAVIEST,
                required=False,
                initial=None if weight is None else f"{weight:g}",
                widget=forms.NumberInput(
                    attrs={"step": "any", "class": "form-control form-control-small"}
                ),
            )
        if card.subject == Scorecard.Subject.TEAMS:
            del self.fields["peers_by"]

    @staticmethod
    def _weight(metric: Metric) -> str:
        return f"weight-{metric.key}"

    @property
    def weight_rows(self) -> list[tuple[Metric, forms.BoundField]]:
        return [(metric, self[self._weight(metric)]) for metric in self.metrics]

    @property
    def changes(self) -> dict:
        """What the service takes."""
        given = {
            name: value
            for name, value in self.cleaned_data.items()
            if not name.startswith("weight-")
        }
        weights = {metric: self.cleaned_data[self._weight(metric)] for metric in self.metrics}
        given["weights"] = {
            metric: weight for metric, weight in weights.items() if weight is not None
        }
        return given


class NewScorecardForm(Plain):
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.none(), empty_label=None)
    subject = forms.ChoiceField(
        label=_("Who is ranked"),
        choices=[
            ("people", _("Its people and those of the teams below")),
            ("teams", _("The teams below it, against each other")),
            ("segments", _("Its customer segments")),
        ],
        initial="people",
        widget=forms.RadioSelect,
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False)

    def __init__(self, *args, reader: Person, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = teams.managed_by(reader).order_by("path")


class AdditionForm(Plain):
    """Somebody a manager adds to a draft cohort, by public id."""

    person = forms.CharField(max_length=12)
    side = forms.ChoiceField(choices=Member.Side)
    reason = forms.CharField(
        max_length=300, error_messages={"required": _("Say why, in one sentence.")}
    )


class RemovalForm(Plain):
    person = forms.CharField(max_length=12)
    reason = forms.CharField(
        max_length=300, error_messages={"required": _("Say why, in one sentence.")}
    )


class PairForm(Plain):
    """
    A learner and a coach of a plan, by public id, and what to make of them.

    A long table says it in one value, "pin:learner:coach"; `kind` is empty for no rule at all.
    """

    rule = forms.CharField(max_length=40, required=False)
    learner = forms.CharField(max_length=12, required=False)
    coach = forms.CharField(max_length=12, required=False)
    kind = forms.ChoiceField(choices=[*Rule.Kind.choices, ("drop", _("No rule"))], required=False)

    def clean(self) -> dict:
        given = super().clean()
        if given.get("rule"):
            kind, _, people = given["rule"].partition(":")
            given["learner"], _, given["coach"] = people.partition(":")
            given["kind"] = kind if kind in (*Rule.Kind.values, "drop") else ""
        if not (given.get("kind") and given.get("learner") and given.get("coach")):
            raise forms.ValidationError(gettext("Choose a learner, a coach and a rule."))
        return given


class SeatsForm(Plain):
    coach = forms.CharField(max_length=12)
    seats = forms.IntegerField(
        min_value=0,
        max_value=MOST_LEARNERS,
        error_messages={
            "invalid": _("Write the seats as a number."),
            "required": _("Write how many learners the coach can take at a time."),
        },
    )


class OwnSeatsForm(Plain):
    """Somebody's seats in all cohorts."""

    seats = SeatsForm.base_fields["seats"]


class LeaveOutForm(Plain):
    """Somebody a plan does without, and why."""

    person = forms.CharField(max_length=12, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why?"),
        max_length=300,
        widget=forms.TextInput(
            attrs={"placeholder": _("On leave until May"), "autocomplete": "off"}
        ),
        help_text=_("Whoever looks at this plan later will ask."),
        error_messages={"required": _("Say why, in one sentence.")},
    )


class TakeInForm(Plain):
    person = forms.CharField(max_length=12)
    side = forms.ChoiceField(choices=Member.Side, required=False)
    reason = forms.CharField(
        max_length=300, error_messages={"required": _("Say why, in one sentence.")}
    )


class PlanNameForm(Plain):
    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        error_messages={"required": _("Give it a name, such as “With a floor”.")},
    )


class WishesForm(Plain):
    """
    What a manager wishes of a plan besides rules: points for what two share, weights, a floor.

    kinds : preferences as (key, label, help); metrics : those the ranking weighs, each with
    `weight`, its usual one; `wish` of them is 0 for a skill that does not count.
    """

    floor = forms.IntegerField(
        label=_("No pair below"),
        min_value=0,
        max_value=1000,
        required=False,
        help_text=_("Points, as in the table of pairs. Who has no coach above it goes without."),
    )

    def __init__(self, *args, plan: Plan, kinds: list[tuple], metrics: list, **kwargs) -> None:
        super().__init__(*args, initial={"floor": plan.floor}, **kwargs)
        self.kinds, self.metrics = kinds, metrics
        for key, label, told in kinds:
            self.fields[f"points-{key}"] = forms.IntegerField(
                label=label,
                min_value=0,
                max_value=MOST_POINTS,
                required=False,
                initial=plan.preferences.get(key, 0),
                help_text=told,
            )
        for metric in metrics:
            self.fields[f"weight-{metric.key}"] = forms.FloatField(
                label=metric.name,
                min_value=0,
                max_value=HEAVIEST,
                required=False,
                initial=f"{plan.weights.get(metric.key, metric.weight):g}",
                widget=forms.NumberInput(attrs={"step": "any"}),
            )
        for bound in self.fields.values():
            bound.widget.attrs["class"] = "form-control form-control-small"

    @property
    def points(self) -> list[forms.BoundField]:
        return [self[f"points-{key}"] for key, _, _ in self.kinds]

    @property
    def weighing(self) -> list[forms.BoundField]:
        return [self[f"weight-{metric.key}"] for metric in self.metrics]

    def clean(self) -> dict:
        given = super().clean()
        weights = [given.get(f"weight-{metric.key}") or 0 for metric in self.metrics]
        if self.metrics and not self.errors and not any(weights):
            raise forms.ValidationError(gettext("At least one skill must count for something."))
        return given

    @property
    def wishes(self) -> dict:
        """What the service takes; a weight that is the ranking's own is no wish."""
        given = self.cleaned_data
        weights = {
            metric.key: given[f"weight-{metric.key}"] or 0.0
            for metric in self.metrics
            if (given[f"weight-{metric.key}"] or 0.0) != metric.weight
        }
        return {
            "preferences": {key: given[f"points-{key}"] or 0 for key, _, _ in self.kinds},
            "weights": weights,
            "floor": given["floor"] or 0,
        }


class WantsForm(Plain):
    """How many coaches a learner gets, each for another skill."""

    learner = forms.CharField(max_length=12)
    coaches = forms.IntegerField(min_value=1, max_value=3)


class LaunchForm(Plain):
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
