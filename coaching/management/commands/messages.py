"""
`manage.py messages`: gather what is to be translated, and compile what has been.

It needs GNU gettext. The compiled file is committed, so whoever installs Lanemate does not.
"""

import re
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import makemessages

# Nothing to translate there; the words themselves are named by LOCALE_PATHS.
ELSEWHERE = [".venv", "coaching/locale", "config", "docs", "requirements", "tests", "var"]

# The language the sources are written in.
SOURCE = "en"


class Command(makemessages.Command):
    help = "Update the translations in coaching/locale from the sources, and compile them."
    # A sentence that resembles an old one is still a new sentence.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]
    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=said",
        "--keyword=said_many:1,2",
        "--keyword=sentence",
    ]

    def handle(self, *args, **options) -> None:
        languages = [code for code, _ in settings.LANGUAGES if code != SOURCE]
        super().handle(
            **{
                **options,
                "locale": languages,
                "ignore_patterns": list(ELSEWHERE),
                "add_location": "file",
                "no_obsolete": True,
                "no_wrap": True,
            }
        )
        for language in languages:
            path = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"
            # When it was gathered is in the history; here it would change with every run.
            text = re.sub(r'"POT-Creation-Date: .*\n', "", path.read_text())
            path.write_text(text)
        call_command("compilemessages", locale=languages, ignore_patterns=["*"], verbosity=0)
