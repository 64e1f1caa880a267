"""`manage.py tick`: everything that is due, once. For cron, or to see that it works."""

from django.core.management import BaseCommand

from coaching.queries import clock
from coaching.services import ticks


class Command(BaseCommand):
    help = "Do everything that is due now: imports, looks, reminders, digests, letters."

    def handle(self, *args, **options) -> None:
        for name, done in ticks.tick(now=clock.now()).items():
            self.stdout.write(f"{name}: {done}")
