"""
Chats by one address each, through Apprise, an optional part that is loaded when it is used.

Only services with a place of their own are taken: an address that names a
server would let its author reach ours. Servers that a company runs itself are
named in CHAT_HOSTS by whoever runs Lanemate.
"""

import importlib
from types import ModuleType
from urllib.parse import urlsplit

from django.conf import settings

from coaching.domain.said import said
from coaching.notifications.webhooks import BadAddress, Refusal

# Services whose server stands in Apprise itself.
FIXED = {"slack", "discord", "tgram", "gchat", "wxteams", "webex", "msteams", "zulip"}
# Those whose address names one.
OWN_SERVER = {"mmost", "mmosts", "rocket", "rockets", "matrix", "matrixs", "ntfy", "ntfys",
              "workflows", "workflow"}  # fmt: skip
# Where Microsoft runs the flows of Teams.
FLOWS = (".logic.azure.com", ".powerplatform.com")


def _apprise() -> ModuleType | None:
    try:
        return importlib.import_module("apprise")
    except ImportError:
        return None


def is_ready() -> bool:
    """Whether the optional part is installed."""
    return _apprise() is not None


def check(url: str) -> None:
    """
    :raises BadAddress: in words, for addresses we do not write to
    """
    apprise = _apprise()
    if apprise is None:
        raise BadAddress(
            said(
                "Chats are not installed here. Whoever runs Lanemate adds them with the extra "
                "“chat”."
            )
        )
    scheme = url.partition("://")[0].casefold()
    if scheme not in FIXED | OWN_SERVER:
        known = ", ".join(sorted(FIXED))
        raise BadAddress(
            said(
                "We know these chats: %(known)s. The address begins with one of them.", known=known
            )
        )
    if scheme in OWN_SERVER and not _may_reach(scheme, url):
        raise BadAddress(
            said("This chat has its own server, which whoever runs Lanemate must name.")
        )
    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise BadAddress(
            said(
                "This is not a whole %(scheme)s:// address; a part of it is missing.",
                scheme=scheme,
            )
        )


def _may_reach(scheme: str, url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").casefold()
    except ValueError:
        return False
    flows = scheme.startswith("workflow") and host.endswith(FLOWS)
    return flows or host in {name.casefold() for name in settings.CHAT_HOSTS}


def say(url: str, *, text: str) -> None:
    """
    :raises BadAddress:
    :raises Refusal: when the service did not take it
    """
    check(url)
    chat = _apprise().Apprise()
    chat.add(url)
    if not chat.notify(body=text, title="Lanemate"):
        raise Refusal(said("The chat service did not take it."))
