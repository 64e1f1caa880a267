"""What a scorecard's page needs to read."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from coaching.models import Event, Metric, Person, Reading, Scorecard
from coaching.queries import people, trail


def metrics_for(card: Scorecard) -> QuerySet[Metric]:
    """
    The metrics on a scorecard and those that could be: each with `has_readings`, whether the
    card's team has any.
    """
    read = (
        people.segments_of(card.team)
        if card.subject == Scorecard.Subject.SEGMENTS
        else people.of_team(card.team)
    )
    readings = Reading.objects.filter(metric=OuterRef("pk"), person__in=read)
    return (
        Metric.objects.annotate(has_readings=Exists(readings))
        .filter(Q(has_readings=True) | Q(pk__in=card.weights.values("metric")))
        .order_by("name", "pk")
    )


def log_of(reader: Person, card: Scorecard) -> QuerySet[Event]:
    """Who proposed and changed a scorecard, newest first."""
    return trail.visible_to(reader).filter(subject_type="scorecard", subject_id=card.public_id)
