"""Refusals that a person reads: a sentence that says what is wrong and what to do."""


class CoachingError(Exception):
    """
    Something that cannot be done, told in words fit for a page.

    `message` may be set by a class (the failure is always the same) or given
    when raising (it names the people and the numbers at hand).
    """

    message = "That is not possible."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.message
        super().__init__(self.message)
