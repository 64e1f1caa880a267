"""What a manager wishes of a plan, as one value that can be kept, compared and put back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from coaching.models import Person, Plan, Rule

FIELDS = ("preferences", "weights", "capacities", "left_out", "wants", "floor", "lot")


@dataclass(frozen=True)
class Ruling:
    """A rule on two people, all by public id; `made_by` is empty when that person is gone."""

    kind: str
    learner: str
    coach: str
    made_by: str = ""


@dataclass(frozen=True)
class Wishes:
    """
    preferences : points for what two people have in common
    weights : of metrics, where they differ from the ranking's
    capacities, left_out, wants : by public id; seats, reasons, coaches wanted
    floor : no pair scores less
    lot : the seed of the lot that draws who waits; None for the score to decide
    """

    preferences: Mapping[str, int]
    weights: Mapping[str, float]
    capacities: Mapping[str, int]
    left_out: Mapping[str, str]
    wants: Mapping[str, int]
    floor: int
    lot: int | None
    rules: tuple[Ruling, ...]

    @classmethod
    def of(cls, plan: Plan) -> "Wishes":
        """As they are stored now; one query."""
        rows = plan.rules.order_by("pk").values_list(
            "kind", "learner__public_id", "coach__public_id", "made_by__public_id"
        )
        rules = tuple(Ruling(kind, one, other, by or "") for kind, one, other, by in rows)
        return cls(**{name: getattr(plan, name) for name in FIELDS}, rules=rules)

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Wishes":
        """From what `as_json` gave."""
        return cls(
            **{name: kept[name] for name in FIELDS},
            rules=tuple(Ruling(*rule) for rule in kept["rules"]),
        )

    def as_json(self) -> dict[str, Any]:
        kept = asdict(self)
        kept["rules"] = [list(rule.values()) for rule in kept["rules"]]
        return kept

    def ruled(self, rule: Ruling) -> "Wishes":
        """With this rule, instead of another one on the same two people."""
        others = self.free(rule.learner, rule.coach).rules
        return replace(self, rules=(*others, rule))

    def free(self, learner: str, coach: str) -> "Wishes":
        """Without a rule on these two people."""
        kept = tuple(rule for rule in self.rules if (rule.learner, rule.coach) != (learner, coach))
        return replace(self, rules=kept)

    def store(self, plan: Plan, *, now: datetime) -> None:
        """Write what differs; rules that stay keep their rows."""
        for name in FIELDS:
            value = getattr(self, name)
            setattr(plan, name, dict(value) if isinstance(value, Mapping) else value)
        plan.save(update_fields=FIELDS)
        rows = plan.rules.select_related("learner", "coach")
        stored = {(row.kind, row.learner.public_id, row.coach.public_id): row for row in rows}
        wanted = {(rule.kind, rule.learner, rule.coach): rule for rule in self.rules}
        gone = [row.pk for key, row in stored.items() if key not in wanted]
        if gone:
            Rule.objects.filter(pk__in=gone).delete()
        new = [rule for key, rule in wanted.items() if key not in stored]
        if new:
            named = {name for rule in new for name in (rule.learner, rule.coach, rule.made_by)}
            ids = dict(Person.objects.filter(public_id__in=named).values_list("public_id", "pk"))
            Rule.objects.bulk_create(
                Rule(
                    plan=plan, kind=rule.kind, learner_id=ids[rule.learner],
                    coach_id=ids[rule.coach], made_by_id=ids.get(rule.made_by), made_at=now,
                )
                for rule in new
                if rule.learner in ids and rule.coach in ids
            )  # fmt: skip
