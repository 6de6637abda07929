"""JSON from strangers, read strictly, and values laid into frozen dataclasses.

Python's own reader takes NaN, Infinity, doubled keys, numbers of any size and lone surrogates; none passes here.
`convert` follows msgspec's strict rules, which the tests compare it with: no coercion but int to float, unknown
fields ignored, missing fields without a default refused.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")

_INT_LIMIT = 2**63  # what an SQLite integer and an int64 hold


class StrictJSONError(ValueError):
    """The text is no strict JSON, or the value does not fit the type; the message names the place."""


def parse_json(data: bytes | bytearray | memoryview) -> Any:
    """Read one JSON document as UTF-8, with or without a byte order mark. Raises StrictJSONError."""
    try:
        text = bytes(data).decode("utf-8-sig")
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_unique,
        )
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except StrictJSONError:
        raise
    except UnicodeError as error:
        raise StrictJSONError("not valid UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise StrictJSONError(f"not JSON: {error}") from error
    return value


def is_text(value: str) -> bool:
    """Whether a text can be written at all: Python keeps the bytes of a name that is not UTF-8 as lone surrogates."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def as_text(value: str) -> str:
    """The text as it can be written: a code that is not a character as its escape, `caf\\udce9`."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def dump_json(value: object) -> bytes:
    """Write a dataclass (or plain values) as JSON in its one canonical form: sorted keys, no spaces, UTF-8.

    Raises ValueError on NaN and infinity.
    """
    plain = dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")


def convert(value: Any, wanted: type[T], place: str = "$") -> T:
    """Lay parsed JSON into `wanted`, a dataclass or a type that its fields may have. `place` is the value's own in the
    document. Raises StrictJSONError naming the place at fault."""
    return typing.cast(T, _convert(value, wanted, place))


def _refuse_constant(name: str) -> float:
    raise StrictJSONError(f"not JSON: {name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise StrictJSONError(f"not JSON: {text[:20]} is too large for a number")
    return value


def _bounded(text: str) -> int:
    if len(text) > 20 or not -_INT_LIMIT <= int(text) < _INT_LIMIT:
        raise StrictJSONError(f"not JSON: {text[:20]} does not fit 64 bits")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJSONError("not JSON: one object has the same key twice")
    return found


def _convert(value: Any, wanted: Any, place: str) -> Any:
    if wanted is Any:
        return value
    if dataclasses.is_dataclass(wanted):
        return _dataclass(value, typing.cast(type, wanted), place)
    origin = typing.get_origin(wanted)
    if origin is None:
        return _scalar(value, wanted, place)
    arguments = typing.get_args(wanted)
    if origin is tuple:
        return _tuple(value, arguments, place)
    if origin is dict:
        return _dict(value, arguments, place)
    if origin is typing.Literal:
        if isinstance(value, str) and value in arguments:
            return value
        raise StrictJSONError(f"{place}: one of {', '.join(map(repr, arguments))} is needed, got {_shown(value)}")
    if origin in (typing.Union, types.UnionType) and type(None) in arguments and len(arguments) == 2:
        inner = arguments[0] if arguments[1] is type(None) else arguments[1]
        return None if value is None else _convert(value, inner, place)
    raise TypeError(f"{wanted} is not a type that convert knows")


def _scalar(value: Any, wanted: Any, place: str) -> Any:
    if wanted is float and type(value) is int:
        return float(value)
    if wanted in (str, int, float, bool):
        if type(value) is wanted:
            return value
        raise StrictJSONError(f"{place}: {wanted.__name__} is needed, got {_shown(value)}")
    raise TypeError(f"{wanted} is not a type that convert knows")


def _tuple(value: Any, arguments: tuple[Any, ...], place: str) -> tuple[Any, ...]:
    if type(value) is not list:
        raise StrictJSONError(f"{place}: a list is needed, got {_shown(value)}")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_convert(item, arguments[0], f"{place}[{index}]") for index, item in enumerate(value))
    if len(value) != len(arguments):
        raise StrictJSONError(f"{place}: a list of {len(arguments)} is needed, got {len(value)}")
    pairs = enumerate(zip(value, arguments, strict=True))
    return tuple(_convert(item, kind, f"{place}[{index}]") for index, (item, kind) in pairs)


def _dict(value: Any, arguments: tuple[Any, ...], place: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise StrictJSONError(f"{place}: an object is needed, got {_shown(value)}")
    return {key: _convert(item, arguments[1], f"{place}.{key}") for key, item in value.items()}


def _dataclass(value: Any, wanted: type, place: str) -> Any:
    if type(value) is not dict:
        raise StrictJSONError(f"{place}: an object is needed, got {_shown(value)}")
    kinds = _field_types(wanted)
    found = {name: _convert(value[name], kind, f"{place}.{name}") for name, kind in kinds.items() if name in value}
    for field in dataclasses.fields(wanted):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and field.name not in found:
            raise StrictJSONError(f"{place}: the field {field.name!r} is missing")
    return wanted(**found)


@functools.cache
def _field_types(wanted: type) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    return {field.name: hints[field.name] for field in dataclasses.fields(wanted)}


def _shown(value: Any) -> str:
    names: dict[type, str] = {type(None): "null", dict: "an object", list: "a list"}
    return names.get(type(value), json.dumps(value)[:40])
