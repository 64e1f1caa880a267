"""
The outbox: letters are rows that a worker claims under a lease, sends and marks.

- `promising`: letters are stored in the transaction of what they tell
- `claims`: who holds which letter until when; what dead workers leave behind
- `gate`: is it still wanted, and is this a good moment
- `wire`: letters as messages, and the way to the mail server
- `breaker`: a mail server that takes nothing is left alone for a while
- `record`: what the mail server has accepted, by its own account
- `delivery`: one worker's round; all of the above in order
"""

from coaching.notifications.outbox.claims import claim, reap, settle
from coaching.notifications.outbox.delivery import deliver_due
from coaching.notifications.outbox.promising import Message, leaves_at, promise, tell, withdraw

__all__ = [
    "Message",
    "claim",
    "deliver_due",
    "leaves_at",
    "promise",
    "reap",
    "settle",
    "tell",
    "withdraw",
]
