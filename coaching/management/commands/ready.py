"""`manage.py ready`: exit 0 when everything is at work, 1 with the reasons when not."""

from django.core.management import BaseCommand, CommandError

from coaching.queries import clock, health


class Command(BaseCommand):
    help = "Say what keeps Lanemate from working; exit 0 when nothing does."

    def handle(self, *args, **options) -> None:
        troubles = health.troubles(now=clock.now())
        if troubles:
            raise CommandError("\n".join(troubles))
        self.stdout.write("Everything is at work.")
        for worry in health.worries(now=clock.now()):
            self.stdout.write(worry)
