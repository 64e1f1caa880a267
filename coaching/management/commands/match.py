"""``manage.py match PROBLEM.json``: the matching engine without the app."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from coaching.domain import matching
from coaching.domain.matching.exchange import refusal


class Command(BaseCommand):
    help = "Read a matching problem from a JSON file and print the optimal plan as JSON."
    requires_system_checks: list[str] = []  # needs neither database nor settings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("problem", help="a JSON file: learners, coaches, capacity, edges, …")

    def handle(self, *, problem: str, **_: Any) -> None:
        started = time.perf_counter()
        result = answer_file(Path(problem))
        result["seconds"] = round(time.perf_counter() - started, 6)
        self.stdout.write(json.dumps(result, ensure_ascii=False))
        if result["status"] == "refused":
            raise SystemExit(2)


def answer_file(path: Path) -> dict[str, Any]:
    """Return the answer for a problem file; a file that cannot be read is refused in words."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return refusal([f"{path} is not a text file in UTF-8."])
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return refusal([f"{path} cannot be read: {why}."])
    return matching.answer(text)
