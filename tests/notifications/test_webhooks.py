"""Posting to addresses that people typed in, without becoming a way into our own network."""

import json
import socket
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from coaching.notifications import webhooks
from coaching.services import channels

SECRET = channels.new_secret()


class Receiver(BaseHTTPRequestHandler):
    """Answers as its server is told, and keeps what it got."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.server.answer(self)

    def log_message(self, *args) -> None:
        """Silence."""


def answers(status: int, body: bytes = b"", **headers):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


@pytest.fixture
def receiver(settings):
    """A server on this machine, which the settings allow."""
    settings.WEBHOOK_HTTP = True
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answer = [], answers(204)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/hook?team=1"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def post(url: str) -> None:
    webhooks.post(url, body=b"{}", headers={})


# -- where it goes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.9", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2001::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(settings, address):
    assert not webhooks.is_allowed(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "203.0.114.1", "2620:fe::fe", "::ffff:9.9.9.9"])
def test_what_is_public_is(address):
    assert webhooks.is_allowed(address)


def test_a_network_that_the_settings_name_is_reached(settings):
    settings.WEBHOOK_NETWORKS = ["10.1.0.0/16", "fd00::/8"]
    assert [webhooks.is_allowed(a) for a in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1")] == [
        True
    ] * 3
    assert not webhooks.is_allowed("10.2.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
        "https://", "https:///x", "//example.org/", "example.org", "", "javascript:alert(1)",
        "https://user@example.org/", "https://user:word@example.org/", "https://@example.org/",
        "https://example.org:port/", "https://example.org:99999/", "https://exa mple.org/",
        "https://example.org/\r\nHost: x", "https://example.org\\@127.0.0.1/", "https://[::1/",
        "https://example.org/ä", "https://" + "a" * 70 + ".org/",
    ],
)  # fmt: skip
def test_an_odd_address_is_refused_before_anything_is_looked_up(monkeypatch, url):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail("looked up"))
    with pytest.raises(webhooks.BadAddress) as refusal:
        webhooks.resolve(url)
    assert refusal.value.message


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_however_it_is_spelled_this_machine_is_not_reached(host):
    with pytest.raises(webhooks.BadAddress):
        webhooks.resolve(f"https://{host}/")


def named(monkeypatch, *addresses: str) -> list[str]:
    """Every name leads to these addresses; returns the names that were asked for."""
    asked = []

    def lookup(host, port, **options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    named(monkeypatch, "9.9.9.9", "10.0.0.1")
    with pytest.raises(webhooks.BadAddress, match="public internet"):
        webhooks.resolve("https://example.org/")


def test_a_name_is_asked_for_once_and_its_address_is_connected_to(monkeypatch):
    asked = named(monkeypatch, "9.9.9.9")
    reached = []

    def connect(address, timeout):
        reached.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(webhooks.Refusal, match="no network in tests"):
        post("https://rebind.example.org/hook")
    assert asked == ["rebind.example.org"]
    assert reached == [("9.9.9.9", 443)]


# -- what is sent, and what comes back --------------------------------------------------------


def test_a_post_arrives_with_a_signature_that_receivers_verify(receiver):
    body = webhooks.body_of({"type": "test", "data": {"über": 1}})
    now = datetime.now().astimezone()
    headers = webhooks.signed(SECRET, message_id="msg_1", body=body, now=now)
    webhooks.post(receiver.url, body=body.encode(), headers=headers)
    ((path, got, sent),) = receiver.got
    assert path == "/hook?team=1"
    names = {name.lower(): value for name, value in got.items()}
    assert Webhook(SECRET).verify(sent, names) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(channels.new_secret()).verify(sent, names)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(sent.replace(b"1", b"2"), names)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_followed(receiver, status):
    receiver.answer = answers(status, Location="http://169.254.169.254/latest/")
    with pytest.raises(webhooks.Refusal, match="sends us on"):
        post(receiver.url)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_a_refusal_says_what_was_answered(receiver, status):
    receiver.answer = answers(status, b"<html>secret of the inside</html>")
    with pytest.raises(webhooks.Refusal, match=f"answered {status}") as refusal:
        post(receiver.url)
    assert refusal.value.status == status
    assert "secret" not in refusal.value.message


def test_a_large_answer_is_not_read(receiver):
    written = []

    def flood(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        try:
            for _ in range(2000):
                written.append(request.wfile.write(b"x" * 100_000))
        except OSError:
            return

    receiver.answer = flood
    post(receiver.url)
    # What fits into buffers on the way, of 200 MB.
    assert sum(written) < 50_000_000


def test_a_server_that_drips_is_cut_off(receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "WHOLE_SECONDS", 0.3)
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for number in range(1000):
            try:
                request.wfile.write(f"X-{number}: y\r\n".encode())
                request.wfile.flush()
            except OSError:
                return
            if stop.wait(0.05):
                return

    receiver.answer = drip
    with pytest.raises(webhooks.Refusal):
        post(receiver.url)
    stop.set()


def test_nobody_there_is_said_in_words(receiver):
    with pytest.raises(webhooks.Refusal, match="could not be reached"):
        post("http://127.0.0.1:9/")
