"""
Waking the work. All work lies in the database; this only says "look now".

Embedded, a ticker thread of this process listens; with Redis, a worker gets a
tick. A lost wake costs at most the minute until the next tick, so a broker that
is down never makes a request fail, nor wait twice.
"""

import logging
import threading
import time

from celery import current_app
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

# A broker that was not there is not asked again for so many seconds: each request would wait.
PATIENCE = 30.0

# Set by `wake`, waited for by the embedded ticker.
woken = threading.Event()
_broker_gone_until = 0.0


def wake() -> None:
    """Have the sweeps run as soon as the current transaction is committed."""
    transaction.on_commit(_wake_now)


def _wake_now() -> None:
    global _broker_gone_until
    if not settings.REDIS_URL:
        woken.set()
    elif time.monotonic() >= _broker_gone_until:
        try:
            current_app.send_task("coaching.tasks.tick", retry=False)
        except Exception as failure:
            # Whatever it is: what was asked for is stored, and the next tick finds it.
            _broker_gone_until = time.monotonic() + PATIENCE
            logger.warning("The broker cannot be reached; the next tick does it: %s", failure)
