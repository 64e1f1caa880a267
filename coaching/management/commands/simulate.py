"""`manage.py simulate --weeks N`: let weeks pass in the simulated contact centre."""

from argparse import ArgumentParser

from django.core.management import BaseCommand, CommandError
from django.db.models import Count

from coaching.errors import CoachingError
from coaching.models import Cohort, Event, Letter, Pair
from coaching.queries import clock
from coaching.services import simulation


class Command(BaseCommand):
    help = "Let weeks pass in the simulated contact centre, and tell what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--weeks", type=int, default=1)

    def handle(self, *args, weeks: int, **options) -> None:
        if not 1 <= weeks <= 104:
            raise CommandError("Choose from 1 to 104 weeks.")
        for _ in range(weeks):
            since = clock.now()
            try:
                now = simulation.pass_weeks(weeks=1)
            except CoachingError as refusal:
                raise CommandError(refusal.message) from refusal
            self._tell(since=since, now=now)

    def _tell(self, *, since, now) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"Week until {now:%A, %d %B %Y}"))
        sent = Letter.objects.filter(sent_at__gt=since, sent_at__lte=now).order_by()
        kinds = dict(sent.values_list("kind").annotate(count=Count("pk")))
        told = ", ".join(
            f"{kinds[kind]} × {kind.label.lower()}" for kind in Letter.Kind if kind in kinds
        )
        self.stdout.write(f"  letters: {told or 'none'}")
        events = Event.objects.filter(at__gt=since, at__lte=now).exclude(verb="session logged")
        for event in events.order_by("at", "pk"):
            pair = Pair.objects.filter(public_id=event.subject_id).first()
            if pair:
                why = event.details.get("why", "")
                self.stdout.write(f"  {pair}: {event.verb.removeprefix('pair ')}. {why}")
            elif event.verb == "cohort closed":
                self.stdout.write(self.style.SUCCESS("  Everybody has passed: the cohort closed."))
        for cohort in Cohort.objects.filter(state=Cohort.State.LIVE):
            passed = cohort.pairs.filter(state=Pair.State.PASSED).count()
            self.stdout.write(f"  {cohort.name}: {passed} of {cohort.pairs.count()} have passed")
