"""The named steps of sending a letter, so that a worker can be ended at each of them."""

STEPS = ("claimed", "written", "begun", "recipient taken", "dot sent", "250 read", "noted")


def at_step(name: str, address: str) -> None:
    """
    Called at each step with the reader's address; does nothing.

    `manage.py chaos` puts a function of its own here, in workers of its own.
    """
