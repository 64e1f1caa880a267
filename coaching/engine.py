"""
Waking the work. All work lies in the database; this only says "look now".

Embedded, a ticker thread of this process listens; with Redis, a worker gets a
tick. A lost wake costs at most the minute until the next tick.
"""

import threading

from celery import current_app
from django.conf import settings
from django.db import transaction

# Set by `wake`, waited for by the embedded ticker.
woken = threading.Event()


def wake() -> None:
    """Have the sweeps run as soon as the current transaction is committed."""
    transaction.on_commit(_wake_now)


def _wake_now() -> None:
    if settings.REDIS_URL:
        current_app.send_task("coaching.tasks.tick")
    else:
        woken.set()
