"""Letters as messages, the way to the mail server, and what its answers mean."""

import smtplib
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from coaching.models import Letter
from coaching.notifications import rendering
from coaching.notifications.outbox import steps

Failure = Letter.Failure
# Codes that speak of us and not of the reader, although they answer to the reader's address.
OF_US = {530, 534, 535, 538}


class AnswerMissing(smtplib.SMTPServerDisconnected):
    """The whole letter was handed over, and no answer came: the server may have it."""


class LeaseOver(smtplib.SMTPServerDisconnected):
    """This process stood still for so long that another one has the letter now."""


def steady() -> float:
    """Seconds that go on while the process is frozen, and where possible while it sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class _Careful:
    """An SMTP client that knows whether the final dot has left, and when it must not any more."""

    hand_over_by: float | None = None
    _dotted = False
    _reader = ""

    def rcpt(self, recip, options=()):
        self._reader = recip
        return super().rcpt(recip, options)

    def send(self, s):
        super().send(s)
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self._dotted = True
            steps.at_step("dot sent", self._reader)

    def data(self, msg):
        self._dotted = False
        steps.at_step("recipient taken", self._reader)
        if self.hand_over_by is not None and steady() >= self.hand_over_by:
            self.close()
            raise LeaseOver("The lease was over before the letter was handed over.")
        try:
            code, reply = super().data(msg)
        except (OSError, smtplib.SMTPResponseException) as failure:
            if self._dotted:
                raise AnswerMissing(str(failure)) from failure
            raise
        if not 200 <= code < 600:
            raise AnswerMissing(f"It answered {code} {reply!r}")
        steps.at_step("250 read", self._reader)
        return code, reply


class CarefulSMTP(_Careful, smtplib.SMTP):
    pass


class CarefulSMTPS(_Careful, smtplib.SMTP_SSL):
    pass


class Backend(smtp.EmailBackend):
    """Django's SMTP back end, with that client."""

    @property
    def connection_class(self):
        return CarefulSMTPS if self.use_ssl else CarefulSMTP

    def _send(self, email_message):
        self.connection.hand_over_by = getattr(email_message, "hand_over_by", None)
        self.connection.sendmail(*(getattr(email_message, "ready", None) or ready(email_message)))
        return True


def ready(message: EmailMessage) -> tuple[str, list[str], bytes]:
    """A message as it goes over the wire: sender, readers, text."""
    encoding = message.encoding or settings.DEFAULT_CHARSET
    return (
        sanitize_address(message.from_email, encoding),
        [sanitize_address(address, encoding) for address in message.recipients()],
        message.message().as_bytes(linesep="\r\n"),
    )


def written(letter: Letter) -> EmailMultiAlternatives:
    """The letter as a message to its one reader."""
    rendered = rendering.render(letter)
    message = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        to=[letter.recipient.email],
        headers={
            "Message-ID": f"<{letter.message_id}@{urlsplit(settings.SITE_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
            **rendering.headers_for(letter),
        },
    )
    message.attach_alternative(rendered.html, "text/html")
    if calendar := letter.context.get("ics"):
        message.attach("session.ics", calendar, f"text/calendar; method={_method(calendar)}")
    # Put together here and not while the mail server waits.
    message.ready = ready(message)
    return message


def _method(calendar: str) -> str:
    """What a calendar file asks for: REQUEST, CANCEL …"""
    for line in calendar.splitlines():
        name, _, value = line.partition(":")
        if name == "METHOD":
            return value.strip()
    return "PUBLISH"


class Result(NamedTuple):
    """
    What came of handing over a letter.

    name : sent, refused, later, unreached, sender, uncertain, unwritable
    is_bounce : the address was refused, for good
    is_ours : the server refuses us or is not there; it is no matter of this letter
    """

    name: str
    detail: str = ""
    failure: str = ""
    is_bounce: bool = False
    is_ours: bool = False


SENT = Result("sent")


def result_of(failure: BaseException | None) -> Result:
    """What an exception of the mail back end says; none means the server has taken it."""
    detail = str(failure)
    if isinstance(failure, smtplib.SMTPResponseException):
        detail = _said(failure.smtp_code, failure.smtp_error)
    match failure:
        case None:
            return SENT
        case AnswerMissing():
            return Result("uncertain", f"No answer after the whole letter: {detail}")
        case smtplib.SMTPRecipientsRefused():
            (code, reply), *_ = failure.recipients.values()
            said = _said(code, reply)
            if code in OF_US:
                return Result("sender", said, Failure.SENDER, is_ours=True)
            if code >= 500:
                return Result("refused", f"Address refused: {said}", Failure.REFUSED, True)
            return Result("later", said, Failure.LATER)
        case smtplib.SMTPDataError() if failure.smtp_code >= 500:
            return Result("refused", f"The letter was refused: {detail}", Failure.REFUSED)
        case smtplib.SMTPDataError():
            return Result("later", detail, Failure.LATER)
        case (
            smtplib.SMTPSenderRefused()
            | smtplib.SMTPAuthenticationError()
            | smtplib.SMTPNotSupportedError()
            | smtplib.SMTPHeloError()
            | ssl.SSLError()
        ):
            return Result("sender", detail, Failure.SENDER, is_ours=True)
        case OSError():
            # Perhaps because of this letter: it counts as a try. A server that is not there
            # shows when it is next called.
            return Result("unreached", detail, Failure.UNREACHED)
        case _:
            return Result("unwritable", detail, Failure.UNWRITABLE)


def _said(code: int, reply: bytes | str | None) -> str:
    """An answer as a person reads it: '451 Try again later'."""
    words = reply.decode(errors="replace") if isinstance(reply, bytes) else reply or ""
    return f"{code} {' '.join(words.split())}".strip()


def result_of_opening(failure: Exception) -> Result:
    """The same for a connection that could not be opened, which is never a letter's fault."""
    result = result_of(failure)
    if result.is_ours:
        return result
    return Result("unreached", result.detail, Failure.UNREACHED, is_ours=True)
