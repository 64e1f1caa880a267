"""Webhooks and chats: told of everything their owner is told, once, and no more than wanted."""

import json
from datetime import timedelta

import pytest

from coaching.models import Channel, Event, Notice, Person, Push
from coaching.notifications import channels as queue
from coaching.notifications import chats, messages, outbox, webhooks
from coaching.services import channels
from tests import factories
from tests.conftest import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Noon in Zurich.
NOON = NOW.replace(hour=11)


class World:
    """What is out there: keeps what arrived, and refuses when it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict, dict]] = []
        self.refusal: Exception | None = None

    def post(self, url: str, *, body: bytes, headers: dict) -> None:
        self.calls.append((url, json.loads(body), headers))
        if self.refusal:
            raise self.refusal

    def say(self, url: str, *, text: str) -> None:
        self.calls.append((url, {"text": text}, {}))
        if self.refusal:
            raise self.refusal


@pytest.fixture
def world(monkeypatch) -> World:
    world = World()
    monkeypatch.setattr(webhooks, "resolve", lambda url: None)
    monkeypatch.setattr(webhooks, "post", world.post)
    monkeypatch.setattr(chats, "check", lambda url: None)
    monkeypatch.setattr(chats, "say", world.say)
    return world


@pytest.fixture
def hook(world, lea) -> Channel:
    return channels.add(person=lea, kind="webhook", url="https://example.org/x", now=NOW)


@pytest.fixture
def chat(world, lea) -> Channel:
    return channels.add(person=lea, kind="chat", url="slack://a/b/c", now=NOW)


def tell(pair, *readers: Person, at=NOON) -> None:
    outbox.promise([messages.passed(pair, reader) for reader in readers], now=at)


def states() -> list[int]:
    return list(Push.objects.order_by("pk").values_list("state", flat=True))


def test_what_one_is_told_here_is_told_there_once(hook, world, pair, lea, ivo):
    tell(pair, lea, ivo)
    assert channels.deliver_due(now=NOON) == {"arrived": 1, "failed": 0}
    assert channels.deliver_due(now=NOON + MINUTE) == {}
    ((url, told, headers),) = world.calls
    push = Push.objects.get()
    assert url == "https://example.org/x"
    assert headers["webhook-id"] == told["data"]["id"] == f"msg_{push.public_id}"
    assert told["type"] == "lanemate.passed"
    assert told["timestamp"] == NOON.isoformat()
    assert told["data"]["link"] == f"http://localhost:8000/pairs/{pair.public_id}/"


def test_it_says_neither_names_nor_skills_unless_its_owner_wants_that(hook, world, pair, lea):
    tell(pair, lea)
    channels.deliver_due(now=NOON)
    channels.choose(channel=hook, leaves_out=(), in_words=True)
    outbox.promise([messages.invitation(pair, lea)], now=NOON)
    channels.deliver_due(now=NOON)
    neutral, open_words = (json.dumps(told) for _, told, _ in world.calls)
    for word in ("Lea", "Ivo", "Brandt", "atisfaction", "text"):
        assert word not in neutral
    assert "You and Ivo Markovi" in open_words


def test_kinds_that_were_left_out_are_not_told(hook, world, pair, lea):
    channels.choose(channel=hook, leaves_out={"passed", "nonsense"}, in_words=False)
    tell(pair, lea)
    outbox.promise([messages.invitation(pair, lea)], now=NOON)
    channels.deliver_due(now=NOON)
    assert [told["data"]["kind"] for _, told, _ in world.calls] == ["invitation"]


def test_every_channel_of_everybody_gets_its_own(hook, chat, world, pair, lea, ivo):
    channels.add(person=ivo, kind="webhook", url="https://example.org/ivo", now=NOW)
    tell(pair, lea, ivo)
    assert channels.deliver_due(now=NOON)["arrived"] == 3
    assert sorted(url for url, _, _ in world.calls) == [
        "https://example.org/ivo",
        "https://example.org/x",
        "slack://a/b/c",
    ]


def test_a_chat_keeps_to_its_readers_hours_and_a_machine_does_not(hook, chat, world, pair, lea):
    night = NOW.replace(hour=22)
    tell(pair, lea, at=night)
    channels.deliver_due(now=night)
    assert [url for url, _, _ in world.calls] == ["https://example.org/x"]
    waiting = Push.objects.get(channel=chat)
    local = waiting.next_attempt_at.astimezone(lea.zone)
    assert (local.day, local.hour in (9, 10)) == (2, True)
    channels.deliver_due(now=waiting.next_attempt_at)
    assert world.calls[-1][1] == {
        "text": "There is something for you in Lanemate. "
        f"http://localhost:8000/pairs/{pair.public_id}/"
    }


def test_what_happened_before_it_was_there_is_not_told(world, pair, lea):
    tell(pair, lea, at=NOW - HOUR)
    channels.add(person=lea, kind="webhook", url="https://example.org/x", now=NOW)
    assert channels.deliver_due(now=NOW) == {}
    assert not Push.objects.exists()


def test_a_failure_is_tried_again_later_and_later_under_the_same_id(hook, world, pair, lea):
    tell(pair, lea)
    world.refusal = webhooks.Refusal("example.org answered 503.", 503)
    now, waits = NOON, []
    for _ in range(4):
        assert channels.deliver_due(now=now) == {"arrived": 0, "failed": 1}
        due = Push.objects.get().next_attempt_at
        assert channels.deliver_due(now=due - timedelta(seconds=1)) == {}
        waits.append((due - now) / MINUTE)
        now = due
    assert all(2**n / 2 <= wait <= 2**n for n, wait in enumerate(waits))
    hook.refresh_from_db()
    assert (hook.failures, hook.last_error) == (4, "example.org answered 503.")
    world.refusal = None
    channels.deliver_due(now=now)
    hook.refresh_from_db()
    assert (hook.failures, hook.last_error) == (0, "")
    assert len({headers["webhook-id"] for _, _, headers in world.calls}) == 1


def test_a_server_that_is_down_is_not_asked_for_each_message(hook, world, pair, lea):
    tell(pair, lea)
    outbox.promise([messages.invitation(pair, lea)], now=NOON)
    world.refusal = webhooks.Refusal("down")
    channels.deliver_due(now=NOON)
    # Both were claimed together; from then on they wait together.
    calls = len(world.calls)
    channels.deliver_due(now=NOON + timedelta(seconds=20))
    assert len(world.calls) == calls


def test_after_ten_tries_it_is_given_up_and_can_be_replayed(hook, world, pair, lea):
    tell(pair, lea)
    world.refusal = webhooks.Refusal("down")
    now = NOON
    for _ in range(queue.MOST_TRIES):
        channels.deliver_due(now=now)
        now += 6 * HOUR
    push = Push.objects.get()
    assert (push.state, push.outcome) == (Push.State.DEAD, "down")
    assert channels.deliver_due(now=now) == {}
    world.refusal = None
    hook.refresh_from_db()
    assert channels.replay(channel=hook, by=lea, now=now) == 1
    assert channels.deliver_due(now=now) == {"arrived": 1, "failed": 0}
    assert world.calls[-1][1]["data"]["id"] == f"msg_{push.public_id}"
    with pytest.raises(channels.NothingFailed):
        channels.replay(channel=hook, by=lea, now=now)


def fail_often(pair, readers, world) -> None:
    world.refusal = webhooks.Refusal("down")
    now = NOON
    for number in range(queue.MOST_FAILURES):
        Notice.objects.create(person=readers, text="x", at=now, dedupe_key=f"n{number}")
        channels.deliver_due(now=now)
        Push.objects.filter(state=Push.State.PENDING).update(next_attempt_at=now + HOUR)
        now += MINUTE


def test_a_channel_that_never_answers_is_switched_off_and_its_owner_told(hook, world, pair, lea):
    fail_often(pair, lea, world)
    hook.refresh_from_db()
    assert not hook.active
    (notice,) = Notice.objects.filter(link="/preferences/")
    assert "switched off" in notice.text
    calls = len(world.calls)
    assert channels.deliver_due(now=NOON + DAY) == {}
    assert len(world.calls) == calls
    with pytest.raises(channels.StillOff):
        channels.test(channel=hook, by=lea, now=NOON)
    world.refusal = None
    channels.switch_on(channel=hook, by=lea, now=NOON + DAY)
    # What waited, and the notice that it was off.
    assert channels.deliver_due(now=NOON + DAY)["arrived"] == queue.MOST_FAILURES + 1


def test_gone_is_gone_at_the_first_answer(hook, world, pair, lea):
    tell(pair, lea)
    world.refusal = webhooks.Refusal("example.org answered 410.", 410)
    channels.deliver_due(now=NOON)
    hook.refresh_from_db()
    assert not hook.active


def test_a_test_is_sent_like_anything_else_and_tells_nothing(hook, chat, world, lea):
    for channel in (hook, chat):
        channels.test(channel=channel, by=lea, now=NOON)
    assert channels.deliver_due(now=NOON) == {"arrived": 2, "failed": 0}
    assert world.calls[0][1]["type"] == "lanemate.test"
    assert world.calls[1][1]["text"].startswith("A test")


def test_a_test_that_fails_is_over(hook, world, lea):
    world.refusal = webhooks.Refusal("no")
    channels.test(channel=hook, by=lea, now=NOON)
    channels.deliver_due(now=NOON)
    assert states() == [Push.State.DEAD]


def test_a_worker_that_died_leaves_nothing_behind(hook, world, pair, lea, settings):
    tell(pair, lea)
    queue.promise_new(now=NOON)
    (held,) = queue.claim(now=NOON)
    assert queue.claim(now=NOON) == []
    assert channels.deliver_due(now=NOON + MINUTE) == {}
    later = NOON + timedelta(seconds=settings.LETTER_LEASE_SECONDS)
    assert channels.deliver_due(now=later) == {"arrived": 1, "failed": 0}
    # The one that froze wakes up: its mark changes nothing any more.
    queue.deliver(held, now=later)
    assert Push.objects.get().attempts == 2
    assert states() == [Push.State.SENT]


def test_what_cannot_be_written_stops_nobody(hook, world, pair, lea, caplog):
    tell(pair, lea)
    world.refusal = ZeroDivisionError("of all things")
    assert channels.deliver_due(now=NOON) == {"arrived": 0, "failed": 1}
    assert "could not be sent" in caplog.text


def test_rows_are_forgotten_after_a_month(hook, world, pair, lea):
    tell(pair, lea)
    channels.deliver_due(now=NOON)
    channels.deliver_due(now=NOON + 29 * DAY)
    assert Push.objects.count() == 1
    channels.deliver_due(now=NOON + 31 * DAY)
    assert Push.objects.count() == 0
    assert len(world.calls) == 1


def test_without_channels_a_tick_costs_one_query(pair, lea, django_assert_num_queries):
    tell(pair, lea)
    with django_assert_num_queries(1):
        assert channels.deliver_due(now=NOON) == {}


def test_nobody_has_more_than_five(hook, world, lea):
    for number in range(channels.MOST_CHANNELS - 1):
        channels.add(person=lea, kind="webhook", url=f"https://example.org/{number}", now=NOW)
    with pytest.raises(channels.TooMany):
        channels.add(person=lea, kind="webhook", url="https://example.org/", now=NOW)


def test_adding_and_removing_is_audited_without_the_address(hook, lea):
    assert hook.secret.startswith("whsec_")
    assert hook.place == "https://example.org…"
    channels.remove(channel=hook, by=lea, now=NOW)
    assert not Channel.objects.exists()
    events = list(Event.objects.order_by("pk").values_list("verb", "details"))
    assert events == [
        ("channel added", {"kind": "webhook"}),
        ("channel removed", {"kind": "webhook"}),
    ]


def test_an_address_within_is_refused_in_words(lea):
    with pytest.raises(webhooks.BadAddress, match="public internet"):
        channels.add(person=lea, kind="webhook", url="https://127.0.0.1/", now=NOW)
    assert not Channel.objects.exists()


# Apprise looks for a part of Python that is on its way out.
APPRISE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


# -- chats -------------------------------------------------------------------------------------


@APPRISE
@pytest.mark.parametrize(
    "url", ["slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/", "discord://4174216298/JHMHI8"]
)
def test_a_chat_with_a_place_of_its_own_is_taken(url):
    pytest.importorskip("apprise")
    chats.check(url)


@APPRISE
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("json://127.0.0.1/", "We know these chats"),
        ("syslog://", "We know these chats"),
        ("mailto://someone:word@example.org", "We know these chats"),
        ("https://hooks.example.org/", "We know these chats"),
        ("mmost://10.0.0.1/token", "must name"),
        ("ntfy://localhost/topic", "must name"),
        ("workflows://10.0.0.1:443/w/s", "must name"),
        ("slack://", "not a whole"),
        ("nonsense", "We know these chats"),
    ],
)
def test_other_chats_are_refused_in_words(url, words):
    pytest.importorskip("apprise")
    with pytest.raises(webhooks.BadAddress, match=words):
        chats.check(url)


@APPRISE
def test_a_companys_own_chat_server_is_reached_once_it_is_named(settings):
    pytest.importorskip("apprise")
    settings.CHAT_HOSTS = ["chat.example.org"]
    chats.check("mmosts://chat.example.org/3ccdd113474722377935511fc85d3dd4")


def test_without_the_optional_part_it_says_so(monkeypatch, lea):
    monkeypatch.setattr(chats, "_apprise", lambda: None)
    assert not channels.chat_ready()
    with pytest.raises(webhooks.BadAddress, match="not installed"):
        channels.add(person=lea, kind="chat", url="slack://a/b/c", now=NOW)


@APPRISE
def test_a_chat_that_refuses_is_a_failure(monkeypatch):
    apprise = pytest.importorskip("apprise")
    said = []

    def notify(self, *, body, title) -> bool:
        said.append((title, body))
        return len(said) == 1

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    chats.say("discord://4174216298/JHMHI8", text="A test")
    assert said == [("Lanemate", "A test")]
    with pytest.raises(webhooks.Refusal):
        chats.say("discord://4174216298/JHMHI8", text="A test")


def test_a_channel_of_somebody_who_left_hears_nothing(hook, world, pair, lea):
    tell(pair, lea)
    Person.objects.filter(pk=lea.pk).update(active=False)
    assert channels.deliver_due(now=NOON) == {}


def test_a_hundred_people_cost_the_same(world, team, pair, django_assert_max_num_queries):
    people = [factories.make_person(team=team) for _ in range(20)]
    for number, person in enumerate(people):
        channels.add(person=person, kind="webhook", url="https://example.org/", now=NOW)
        Notice.objects.create(person=person, text="x", at=NOON, dedupe_key=f"n{number}")
    with django_assert_max_num_queries(4):
        assert queue.promise_new(now=NOON) == 20
