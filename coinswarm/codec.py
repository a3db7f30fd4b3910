"""The one codec: JSON that loses nothing, JSON as the world reads it, and the canonical hash of a value.

Stored JSON brings numbers back digit for digit, and NaN and infinities travel as `{"$float": "nan"}`; what is printed or sent has null for
them. Records whose types say where numbers are, such as report cards, have the words `nan`, `inf` and `-inf`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from coinswarm import errors

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_T = TypeVar("_T")
_TAG = "$float"
_write = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
_SCALARS = frozenset({str, int, float, bool, type(None)})


def dumps(value: object) -> str:
    """Compact standard JSON of `value`. Tuples become lists, NumPy scalars and arrays become numbers and lists.

    Raises:
        InvalidArgument: `value` holds something JSON has no form for, a key that is not text, or text no database can hold.
    """
    if _is_flat(value):  # parameters, by the hundred thousand: walking them costs as much again
        with suppress(ValueError):
            return _storable(_write(value))
    return _storable(_write(_tagged(value)))


def loads(text: str) -> Any:
    """The value that `dumps` wrote."""
    return json.loads(text, object_hook=_untag) if _TAG in text else json.loads(text)


def canonical_hash(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, its keys sorted: equal values give equal hashes on every machine."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def plain(value: Any) -> Any:
    """A value as it is printed and sent: records and models as objects, times as ISO text, infinity and NaN as null."""
    return _walked(value, lambda _number: None)


def encode(record: Any) -> Any:
    """A record as JSON values: its fields in their order, numbers that are not finite as the words `nan`, `inf` and `-inf`."""
    return _walked(record, str)


def decode(kind: type[_T], values: Any) -> _T:
    """The record of type `kind` that `encode` wrote.

    Raises:
        ValidationError: `values` are not those of such a record.
    """
    adapter: TypeAdapter[_T] = _adapter(kind)  # type: ignore[arg-type]  # a type is hashable
    return adapter.validate_python(values)


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:  # 7 ms to make one
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _of_numpy(value: object) -> TypeGuard[Any]:
    """Whether a value is an array or a scalar of NumPy, which nobody has who has not imported it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


def _walked(value: Any, not_finite: Callable[[float], str | None]) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else not_finite(value)
    if isinstance(value, Mapping):
        return {str(key): _walked(entry, not_finite) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_walked(entry, not_finite) for entry in value]
    if _of_numpy(value):
        return _walked(value.tolist(), not_finite)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return _walked(value.model_dump(mode="json"), not_finite)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _walked(getattr(value, field.name), not_finite) for field in dataclasses.fields(value)}
    return str(value)


def copy(value: Any) -> Any:
    """`value` as a store would hand it back."""
    return loads(dumps(value))


def storable(text: str, name: str) -> str:
    """`text`, or `InvalidArgument` when it holds a NUL or half a surrogate pair, which no database stores."""
    if "\x00" in text or not _encodes(text):
        raise errors.InvalidArgument(f"{name} must be text without NUL and lone surrogates", found=ascii(text[:80]))
    return text


def printable(text: str) -> str:
    """`text` with what cannot be stored replaced: an error's message must never be the cause of another error."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _is_flat(value: object) -> bool:
    """Whether `value` is a mapping from text to scalars that `json` writes as they are, infinities and NaN apart."""
    if type(value) is not dict or _TAG in value:
        return False
    return _SCALARS.issuperset(map(type, value.values())) and {str}.issuperset(map(type, value))


def _storable(text: str) -> str:
    if ("\\u0000" in text and "\\u0000" in text.replace("\\\\", "")) or not _encodes(text):
        raise errors.InvalidArgument("JSON must be text without NUL and lone surrogates", found=ascii(text[:80]))
    return text


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tagged(value: object) -> object:
    """`value` in the types of `json`, with floats that are not finite tagged."""
    if _of_numpy(value):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {_key(key): _tagged(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tagged(entry) for entry in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_TAG: repr(float(value))}
    if value is None or isinstance(value, (str, int)):
        return value
    raise errors.InvalidArgument("JSON holds mappings, lists, text, numbers, booleans and None", found=type(value).__name__)


def _key(key: object) -> str:
    if not isinstance(key, str) or key == _TAG:
        raise errors.InvalidArgument(f"a JSON key is text and not {_TAG!r}", found=repr(key))
    return key


def _untag(entry: dict[str, Any]) -> Any:
    return float(entry[_TAG]) if entry.keys() == {_TAG} else entry
