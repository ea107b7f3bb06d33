"""Messages on the broker: what comes back as it went, and what is refused."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

import pytest
from huey.api import Error
from huey.registry import Message
from huey.utils import SKIPPED
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from sportsapp.queue.huey import TrackerHuey
from sportsapp.queue.messages import TaggedJson
from sportsapp.runs.rows import named_args

serializer = TaggedJson()


def there_and_back(value: object) -> object:
    return serializer.deserialize(serializer.serialize(value))


EASTERN = timezone(timedelta(hours=-4))


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 10**40, 1.5, -0.0, "", "text", "é🏈\x00\n", "\ud800", [], {}, (),
        [1, [2, (3,)]], (1, [2], ()), {"a": {"b": (1,)}},
        date(2028, 2, 29), datetime(2026, 1, 1, 4, 5, 6, 7, tzinfo=UTC),
        datetime(2026, 7, 4, 12, tzinfo=EASTERN), timedelta(days=-1, microseconds=1),
        {"synced": 3, "errors": ["NBA: no"]},
        {"!tuple": [1]}, {"!date": "2026-01-01"}, {"!": 1}, {"!dict": {"!dict": {}}},
        {"!tuple": 1, "plain": (2,)}, {"!message": None},
    ],
)  # fmt: skip
def test_value_comes_back_as_it_went(value):
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_day_and_moment_stay_apart():
    assert type(there_and_back(date(2026, 1, 1))) is date
    assert there_and_back(datetime(2026, 1, 1, tzinfo=UTC)).utcoffset() == timedelta(0)


def test_hueys_own_records_come_back():
    fields = dict.fromkeys(Message._fields)
    fields |= {"id": "1", "name": "sync", "args": ("nba", date(2026, 1, 1)), "kwargs": {"a": 1}}
    message = Message(**fields)
    assert there_and_back(message) == message
    assert isinstance(there_and_back(message), Message)
    error = there_and_back(Error({"error": "no", "retries": 0}))
    assert isinstance(error, Error)
    assert error.metadata == {"error": "no", "retries": 0}
    assert there_and_back(SKIPPED) is SKIPPED


def test_text_of_an_enumeration_comes_back_as_text():
    colour = StrEnum("colour", ["RED"])
    assert there_and_back({"colour": colour.RED}) == {"colour": "red"}


@pytest.mark.parametrize(
    "value",
    [b"bytes", {1}, {1: "a"}, {None: 1}, object(), 1j, float("nan"), float("inf"), print, [b"x"],
     {"a": {"b": object()}}, (float("-inf"),), range(3), ValueError("x")],
)  # fmt: skip
def test_value_that_json_lacks_is_refused(value):
    with pytest.raises(TypeError, match="message"):
        serializer.serialize(value)


def test_message_is_json_and_never_a_program():
    data = serializer.serialize({"day": date(2026, 1, 1)})
    assert json.loads(data) == {"day": {"!date": "2026-01-01"}}
    with pytest.raises(ValueError, match=r"utf-8|Expecting"):
        serializer.deserialize(pickle.dumps({"a": 1}))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b'{"!date": "soon"}', b'{"!datetime": 3}', b'{"!message": {"x": 1}}',
     b'{"!message": 5}', b'{"!tuple": 5}', b'{"!seconds": "x"}', b"[" * 100_000],
)  # fmt: skip
def test_forged_message_is_an_error_and_not_a_value(data):
    with pytest.raises((ValueError, TypeError, AttributeError, RecursionError)):
        serializer.deserialize(data)


def test_unknown_tag_is_an_ordinary_dict():
    assert serializer.deserialize(b'{"!run": "rm"}') == {"!run": "rm"}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    lambda part: (
        st.lists(part)
        | st.lists(part).map(tuple)
        | st.dictionaries(st.text() | st.sampled_from(["!dict", "!date", "!tuple"]), part)
    ),
    max_leaves=8,
)


@given(values)
def test_any_allowed_value_comes_back(value):
    assert there_and_back(value) == value


arguments = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), values, max_size=4)


@given(arguments, st.integers(0, 5))
def test_any_allowed_argument_comes_back_in_a_message(kwargs, attempt):
    """And is written in the ledger in the same words, by which a worker claims the run."""
    queue = TrackerHuey("of a test")
    queue.task()(anything)
    task = queue.task_class("anything")(kwargs=kwargs)
    task.attempt = attempt
    if not is_unicode(kwargs):
        with pytest.raises(TypeError, match="Unicode"):
            queue.serialize_task(task)
        return
    data = queue.serialize_task(task)
    back = queue.deserialize_task(data)
    assert (back.kwargs, back.attempt) == (kwargs, attempt)
    assert json.dumps(named_args(back)) == json.dumps(named_args(task))


def is_unicode(value: object) -> bool:
    """Whether there is no lone surrogate in it."""
    try:
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def anything(**_: object) -> None:
    """A task that takes everything."""


@pytest.mark.parametrize(
    "value", [Markup("<b>"), StrEnum("colour", ["RED"]).RED, IntEnum("n", ["ONE"]).ONE]
)
def test_kinds_of_text_and_numbers_travel_as_plain_ones(value):
    queue = TrackerHuey("of a test")
    queue.task()(anything)
    task = queue.task_class("anything")(kwargs={"a": value})
    task.attempt = 0
    back = queue.deserialize_task(queue.serialize_task(task)).kwargs["a"]
    assert back == value
    assert type(back) in (str, int)
