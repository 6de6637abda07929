"""The messages as a whole, and the stdlib decoder against msgspec as oracle."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.files.strict_json import StrictJSONError, convert, dump_json, parse_json
from shared.protocol import messages
from shared.protocol.messages import CLIENT_MESSAGES, SERVER_MESSAGES, WIRE_NAMES, Message

KINDS: list[type[Message]] = sorted(
    {kind for table in (CLIENT_MESSAGES, SERVER_MESSAGES) for kind, _ in table.values()}, key=lambda kind: kind.__name__
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_message_is_frozen_documented_and_resolvable(kind: type[Message]) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[union-attr]
    assert (kind.__doc__ or "").startswith(("Client", "Server", "Either side"))
    assert set(typing.get_type_hints(kind)) == {field.name for field in dataclasses.fields(kind)}


def test_each_message_has_one_name() -> None:
    assert set(WIRE_NAMES) == set(KINDS)
    assert len(set(WIRE_NAMES.values())) == len(KINDS)


def test_job_events_carry_job_and_number() -> None:
    for kind, _ in messages.EVENT_MESSAGES.values():
        assert {"job_id", "seq"} <= {field.name for field in dataclasses.fields(kind)}


# Values near what messages hold, so that many of them fit and many just do not.
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(max_size=5) | st.sampled_from(["queued", "done", "paper", "surface"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), FLOATS, WORDS)
JSON_VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner))


def values_for(kind: Any) -> st.SearchStrategy[Any]:
    """JSON values for a type: fitting ones often, others sometimes."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        fields = {name: values_for(hint) for name, hint in hints.items()}
        fitting: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields)
    elif origin is tuple and arguments[-1] is Ellipsis:
        fitting = st.lists(values_for(arguments[0]), max_size=3)
    elif origin is tuple:
        fitting = st.tuples(*map(values_for, arguments)).map(list)
    elif origin is dict:
        fitting = st.dictionaries(values_for(arguments[0]), values_for(arguments[1]), max_size=3)
    elif kind is Any:
        fitting = JSON_VALUES
    elif origin is typing.Literal:
        fitting = st.sampled_from(arguments)
    elif origin is not None:
        fitting = st.one_of(*[st.none() if item is type(None) else values_for(item) for item in arguments])
    else:
        plain = {int: st.integers(-5, 5), str: st.text(max_size=5), bool: st.booleans(), float: st.floats(-9, 9)}
        fitting = plain[kind]
    return st.integers(0, 15).flatmap(lambda dice: SCALARS if dice == 0 else fitting)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_stdlib_decoder_agrees_with_msgspec(kind: type[Message], data: st.DataObject) -> None:
    value = json.loads(json.dumps(data.draw(values_for(kind))))
    try:
        expected: Any = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        with pytest.raises(StrictJSONError):
            convert(value, kind)
    else:
        assert convert(value, kind) == expected
        assert repr(convert(value, kind)) == repr(expected)  # 1 and 1.0 are equal but not the same


@given(JSON_VALUES)
def test_strict_json_reads_what_json_writes(value: Any) -> None:
    assert parse_json(dump_json(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        b"NaN", b"[Infinity]", b"-Infinity", b'{"a":1,"a":2}', b'{"b":{"a":1,"a":1}}', b"1e999",
        b"[9223372036854775808]", b"1" * 5000, b"\xff", b'"\\ud800"', b'{"\\udc00":1}', b"[" * 100_000,
        b"", b"{", b"1 2", b"'a'",
    ],
)  # fmt: skip
def test_strict_json_refuses(text: bytes) -> None:
    with pytest.raises(StrictJSONError):
        parse_json(text)


def test_strict_json_takes_escaped_text_and_the_largest_integer() -> None:
    assert parse_json(rb'["\ud83e\udd16", 9223372036854775807]') == ["\N{ROBOT FACE}", 2**63 - 1]
