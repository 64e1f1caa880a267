"""
A real browser on the real product: `manage.py demo` in a process of its own.

Nothing here touches the database; what is seen is what a person would see.
Needs Debian's Chromium (or CHROMIUM=/path/to/it); without one the tests say
so and skip.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(autouse=True)
def _quiet_world() -> None:
    """The server has its own world; nothing to prepare here."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[str]:
    """The address of a simulated contact centre that runs for this session."""
    port = free_port()
    var = tmp_path_factory.mktemp("var")
    env = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL")
    }
    log = (var / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port)],
        cwd=ROOT,
        env={**env, "LANEMATE_VAR": str(var)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.fail(f"The demo ended by itself:\n{(var / 'log').read_text()}")
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        else:
            pytest.fail(f"The demo did not answer:\n{(var / 'log').read_text()}")
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chrome")
    if not chromium:
        pytest.skip("No Chromium here. On Debian: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


class Visitor:
    """Somebody in front of a browser; keeps what the browser complained of."""

    def __init__(self, browser: Browser, site: str, *, size=DESK, scheme: str = "light", **options):
        self.site = site
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            base_url=site,
            **options,
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message) -> None:
        # The page that is not there is asked for on purpose, and Chromium remarks on it.
        if message.type in ("error", "warning") and "404" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def sign_in(self, login: str) -> "Visitor":
        self.page.goto("/login/")
        self.page.locator("input[name=username]").fill(login)
        self.page.locator("input[name=password]").fill("lanemate")
        self.page.locator("main button[type=submit]").click()
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self


@pytest.fixture
def visit(browser, site):
    """Signed-in visitors, by login; closed after the test."""
    visitors: list[Visitor] = []

    def come(login: str = "", **options) -> Visitor:
        visitor = Visitor(browser, site, **options)
        visitors.append(visitor)
        return visitor.sign_in(login) if login else visitor

    yield come
    for visitor in visitors:
        visitor.context.close()
