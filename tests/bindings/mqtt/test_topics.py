"""Topics: those of Things, those that ask for something, and those that answers must not go to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.bindings.mqtt.topics import Request, Topics
from servient.wot.description import Affordance
from servient.wot.operations import AffordanceKind, Operation

TOPICS = Topics("wasm-servient/one")
BASE = "wasm-servient/one/things/lamp:1"

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


def action(name: str) -> Affordance:
    return Affordance(AffordanceKind.ACTION, name, {})


def test_topics_look_like_paths() -> None:
    assert TOPICS.of("lamp:1", action("double")) == f"{BASE}/actions/double"
    assert TOPICS.of("a+b/#", action("c d")) == (
        "wasm-servient/one/things/a%2Bb%2F%23/actions/c%20d"
    )
    assert TOPICS.of_thing("lamp:1") == f"{BASE}/status"
    assert TOPICS.status == "wasm-servient/one/status"


@given(NAMES, NAMES)
def test_every_name_fits_into_one_level_and_comes_back(thing: str, name: str) -> None:
    topic = TOPICS.of(thing, action(name))
    assert topic.count("/") == BASE.count("/") + 2
    assert not set("+#\0") & set(topic)
    assert TOPICS.parse(topic) == Request(Operation.INVOKE_ACTION, thing, name, topic)


@pytest.mark.parametrize("prefix", ["", "/", "a//b"])
def test_a_prefix_has_no_empty_level(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Topics(prefix)


def test_a_prefix_is_no_pattern() -> None:
    assert Topics("/a+/$share/#/").prefix == "a%2B/%24share/%23"


@pytest.mark.parametrize(
    ("rest", "operation", "request_id"),
    [
        ("actions/double", Operation.INVOKE_ACTION, None),
        ("actions/double/a-Z_9", Operation.INVOKE_ACTION, "a-Z_9"),
        ("properties/level/write", Operation.WRITE_PROPERTY, None),
        ("properties/level/write/7", Operation.WRITE_PROPERTY, "7"),
        ("properties/level/read", Operation.READ_PROPERTY, None),
        ("properties/level/read/7", Operation.READ_PROPERTY, "7"),
    ],
)
def test_what_a_topic_asks_for(rest: str, operation: Operation, request_id: str | None) -> None:
    request = TOPICS.parse(f"{BASE}/{rest}")
    assert request is not None
    assert (request.operation, request.thing, request.id) == (operation, "lamp:1", request_id)


@pytest.mark.parametrize(
    "topic",
    [
        f"{BASE}/properties/level",
        f"{BASE}/properties/level/set",
        f"{BASE}/actions/double/a/b",
        f"{BASE}/actions/double/a/output",
        f"{BASE}/actions/double/a b",
        f"{BASE}/actions/double/",
        f"{BASE}/actions/double/{'a' * 65}",
        f"{BASE}/events/toggled",
        f"{BASE}/actions",
        BASE,
        "wasm-servient/one",
        "wasm-servient/other/things/lamp:1/actions/double",
        "",
    ],
)
def test_other_topics_ask_for_nothing(topic: str) -> None:
    assert TOPICS.parse(topic) is None


@given(st.text(max_size=60))
def test_no_topic_surprises(rest: str) -> None:
    TOPICS.parse(f"wasm-servient/one/things/{rest}")
    TOPICS.takes_answers(rest)


@pytest.mark.parametrize(
    "topic", ["answers/1", "a", "/a//b/", "wasm-servient/other/answers", "☃/ü"]
)
def test_answers_go_to_a_topic_of_the_client(topic: str) -> None:
    assert TOPICS.takes_answers(topic)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "answers/+",
        "answers/#",
        "$SYS/broker/version",
        "$share/group/answers",
        f"{BASE}/actions/double",
        f"{BASE}/properties/level",
        "wasm-servient/one/status",
        "wasm-servient/one",
        "a\x00b",
        "a\x1fb",
        "a\x85b",
        "a\ufffeb",
        "a\ud800b",
        "a" * 1025,
        "/" * 64,
    ],
)
def test_answers_do_not_go_where_they_do_harm(topic: str) -> None:
    assert not TOPICS.takes_answers(topic)
