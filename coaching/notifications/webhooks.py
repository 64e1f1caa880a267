"""
Posting to an address that somebody typed in, without becoming a way into our own network.

The name is resolved once, every address it has must be a public one, and that
address is the one connected to. Nothing is followed, little is read, and it
all has to be over in seconds.
"""

import http.client
import ipaddress
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from standardwebhooks.webhooks import Webhook

from coaching.domain.said import said
from coaching.errors import CoachingError

CONNECT_SECONDS, WHOLE_SECONDS = 5, 10
MOST_READ = 1024
# Ways of writing an IPv4 address inside an IPv6 one that a router may undo.
TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/32", "2002::/16", "2001::/32", "::/96")]
GONE = 410


class BadAddress(CoachingError):
    """Words for whoever typed it; also raised when its name leads somewhere else today."""


class Refusal(CoachingError):
    """The other side did not take it; `status` is what it answered, 0 for nothing."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect: an address that has been looked at, and the name it goes by."""

    host: str
    port: int
    address: str
    path: str
    tls: bool


def check(url: str) -> tuple[str, int, str, bool]:
    """
    Host, port, path and whether it is encrypted.

    :raises BadAddress: for anything but a plain address on the web
    """
    if any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in url):
        raise BadAddress(said("An address has neither spaces nor backslashes in it."))
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
        url.encode("ascii")
    except (ValueError, UnicodeError) as wrong:
        raise BadAddress(said("That is not an address on the web.")) from wrong
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_HTTP):
        raise BadAddress(said("The address must begin with https://"))
    if not host or parts.username is not None or parts.password is not None:
        raise BadAddress(said("The address needs a host, and no name or password in it."))
    tls = parts.scheme == "https"
    path = parts.path or "/"
    return host, port or (443 if tls else 80), f"{path}?{parts.query}" if parts.query else path, tls


def is_allowed(address: str) -> bool:
    """
    Whether an address is on the public internet, or in a network that the settings name.

    >>> [is_allowed(a) for a in ("9.9.9.9", "127.0.0.1", "::ffff:10.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if any(ip in ipaddress.ip_network(net) for net in settings.WEBHOOK_NETWORKS):
        return True
    if ip.version == 6 and any(ip in net for net in TUNNELS):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def resolve(url: str) -> Place:
    """
    Look an address up, once.

    :raises BadAddress: when it has no address, or one that is not public
    """
    host, port, path, tls = check(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        raise BadAddress(said("There is no server called %(host)s.", host=host)) from wrong
    addresses = [row[4][0] for row in found]
    # One that is not public among them would be a matter of luck.
    if not addresses or not all(is_allowed(address) for address in addresses):
        raise BadAddress(
            said("%(host)s is not on the public internet, and nothing is sent there.", host=host)
        )
    return Place(host, port, addresses[0], path, tls)


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was looked at, whatever the name says by now."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.host, place.port, timeout=CONNECT_SECONDS)
        self.place = place
        self.was_cut = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self.place.address, self.place.port), self.timeout)
        if self.place.tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.place.host)

    def cut(self) -> None:
        """Ends whatever is going on: a server may answer one byte at a time."""
        self.was_cut = True
        if self.sock:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.sock.close()


def post(url: str, *, body: bytes, headers: dict[str, str]) -> None:
    """
    Post once; a status of two hundred and something is success.

    :raises BadAddress:
    :raises Refusal: with what the other side said, or why nothing was heard
    """
    place = resolve(url)
    link = _Pinned(place)
    clock = threading.Timer(WHOLE_SECONDS, link.cut)
    clock.daemon = True
    clock.start()
    try:
        link.request("POST", place.path, body=body, headers=headers)
        answer = link.getresponse()
        status = answer.status
        answer.read(MOST_READ)
    except (OSError, http.client.HTTPException, ValueError) as wrong:
        raise Refusal(
            said("%(host)s could not be reached: %(detail)s", host=place.host, detail=_words(wrong))
        ) from wrong
    finally:
        clock.cancel()
        link.close()
    if link.was_cut:
        # Half an answer looks like a whole one.
        raise Refusal(said("%(host)s took too long to answer.", host=place.host))
    if 300 <= status < 400:
        raise Refusal(
            said("%(host)s sends us on to another address; give that one.", host=place.host), status
        )
    if not 200 <= status < 300:
        raise Refusal(said("%(host)s answered %(detail)s.", host=place.host, detail=status), status)


def _words(wrong: Exception) -> str:
    if isinstance(wrong, TimeoutError):
        return said("it took too long")
    return str(wrong)[:200] or type(wrong).__name__


def signed(secret: str, *, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks, and what goes with them."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Lanemate-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }


def body_of(payload: dict) -> str:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
