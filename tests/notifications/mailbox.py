"""Mail servers for tests: one that answers as told, and one that writes on paper."""

import os
import smtplib
import time
from collections.abc import Callable
from pathlib import Path

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# What happens to a message, by address: None accepts it.
Answer = Callable[[EmailMessage], Exception | None]


class Server:
    """What the programmable server was told and what it received; reset by each test."""

    def __init__(self) -> None:
        self.accepted: list[EmailMessage] = []
        self.tried: list[str] = []
        self.is_up: Callable[[], bool] = lambda: True
        self.answer: Answer = lambda message: None
        self.connections = 0

    @property
    def addresses(self) -> list[str]:
        return [message.to[0] for message in self.accepted]


SERVER = Server()


class Programmable(BaseEmailBackend):
    """Behaves as Django's SMTP back end does: a broken connection stays broken until closed."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.connection: str | None = None

    def open(self) -> bool:
        if self.connection:
            return False
        if not SERVER.is_up():
            raise ConnectionRefusedError("Connection refused")
        SERVER.connections += 1
        self.connection = "open"
        return True

    def close(self) -> None:
        self.connection = None

    def send_messages(self, messages: list[EmailMessage]) -> int:
        self.open()
        for message in messages:
            if self.connection == "broken":
                raise smtplib.SMTPServerDisconnected("please run connect() first")
            SERVER.tried.append(message.to[0])
            failure = SERVER.answer(message)
            if isinstance(failure, smtplib.SMTPServerDisconnected):
                self.connection = "broken"
            if failure:
                raise failure
            SERVER.accepted.append(message)
        return len(messages)


class Paper(BaseEmailBackend):
    """Writes the Message-ID of each letter on a line of `PAPER`, and takes its time."""

    def send_messages(self, messages: list[EmailMessage]) -> int:
        for message in messages:
            line = f"{message.extra_headers['Message-ID']}\n".encode()
            file = os.open(os.environ["PAPER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, line)
            os.close(file)
            time.sleep(0.01)
        return len(messages)


def written_on(paper: Path) -> list[str]:
    return paper.read_text().split() if paper.exists() else []
