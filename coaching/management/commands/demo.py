"""`manage.py demo`: a simulated contact centre with real work going on, served at once."""

from argparse import ArgumentParser

from django.core.management import BaseCommand, call_command
from django.db.models import Count

from coaching.management.commands.serve import bind, serve
from coaching.models import Cohort, Letter, Pair, Person, Simulation
from coaching.queries import clock
from coaching.services import simulation


class Command(BaseCommand):
    help = "Set up a simulated contact centre (once) and serve it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--no-serve", action="store_true", help="set up, print, and do not serve"
        )

    def handle(self, *args, host: str, port: int, no_serve: bool, **options) -> None:
        # Bound first: a taken port is said before a minute of work, not after it.
        listener = None if no_serve else bind(host, port)
        call_command("migrate", verbosity=0, interactive=False)
        if not Simulation.objects.exists():
            self.stdout.write("Setting up a simulated contact centre: half a year of work …")
            simulation.load(now=clock.now())
        self._tell()
        if listener:
            self.stdout.write(
                f"\nLanemate is at http://{host}:{port}/  (Ctrl-C stops it)\n"
                f"Logins: mara (head of centre), ivo (coach), lea (learner), hr\n"
                f"Password: {simulation.PASSWORD}\n"
                "Weeks pass with: manage.py simulate --weeks 4"
            )
            serve(listener)

    def _tell(self) -> None:
        people = Person.objects.count()
        self.stdout.write(f"Simulated data: {people} people, nobody of them real.")
        for cohort in Cohort.objects.exclude(state=Cohort.State.DRAFT).order_by("pk"):
            states = dict(cohort.pairs.order_by().values_list("state").annotate(count=Count("pk")))
            told = ", ".join(
                f"{states[state]} {state.label.lower()}" for state in Pair.State if state in states
            )
            self.stdout.write(f"{cohort.name} ({cohort.get_state_display().lower()}): {told}.")
        sent = Letter.objects.filter(state=Letter.State.SENT).count()
        self.stdout.write(f"{sent} letters sent on the way.")
