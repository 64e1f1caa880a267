"""Is everything at work? Asked by load balancers, compose and the status page."""

from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from coaching.models import Beat, Letter

# A tick comes every minute; after this long without one, letters are late.
LONGEST_SILENCE = timedelta(minutes=5)


def troubles(*, now: datetime) -> list[str]:
    """What keeps Lanemate from doing its work, in words; empty when all is well."""
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return ["The database is not up to date. Run: manage.py migrate"]
        beat = Beat.objects.filter(name="tick").first()
        dead = Letter.objects.filter(
            state=Letter.State.DEAD, created_at__gte=now - timedelta(days=1)
        ).count()
    except DatabaseError as error:
        return [f"The database cannot be reached: {error}"]
    found = []
    if beat is None:
        found.append("No tick has run yet. Start a worker and beat, or: manage.py serve")
    elif now - beat.at > LONGEST_SILENCE:
        minutes = int((now - beat.at).total_seconds() // 60)
        found.append(
            f"The last tick ran {minutes} minutes ago: nothing is sent or looked at. "
            "Check that beat and a worker are running."
        )
    if dead:
        found.append(f"{dead} letters of the last day were given up; the outbox says why.")
    return found
