"""Records to bytes and back, exactly: a header in JSON, then the arrays as they lie in memory. No pickle, so a blob can run nothing.

Layout: magic, CRC-32 of the rest, length of the header, header, arrays. Floats outside arrays are written in hexadecimal. Arrays are
little-endian on every machine.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.evolve import archive, state

MAGIC = b"coinswarm-evolve-1\n"
_PREFIX = struct.Struct("<IQ")
_KINDS = (state.State, state.Island, state.Members, state.Known, state.Inbox, state.Outbox, state.Proposals, archive.Archive)
_T = TypeVar("_T")
_RECORDS = {kind.__name__: kind for kind in _KINDS}


def encode(record: Any) -> bytes:
    """The bytes of a record of `coinswarm.evolve.state`; equal records give equal bytes."""
    arrays: list[npt.NDArray[Any]] = []
    header = json.dumps(_plain(record, arrays), separators=(",", ":"), sort_keys=True).encode()
    body = b"".join([struct.pack("<Q", len(header)), header, *(array.tobytes() for array in arrays)])
    return MAGIC + _PREFIX.pack(zlib.crc32(body), len(body)) + body


def decode(blob: bytes, kind: type[_T]) -> _T:
    """The record of type `kind` that `encode` wrote.

    Raises:
        InvalidArgument: the bytes are cut short, damaged, or of another kind.
    """
    record = _decoded(blob)
    if not isinstance(record, kind):
        raise errors.InvalidArgument(f"the bytes must hold a record of type {kind.__name__}", found=type(record).__name__)
    return record


def _decoded(blob: bytes) -> Any:
    start = len(MAGIC) + _PREFIX.size
    if not blob.startswith(MAGIC) or len(blob) < start:
        raise errors.InvalidArgument("the bytes must be a stored search", found=blob[:20], hint="they may be of another version")
    checksum, length = _PREFIX.unpack(blob[len(MAGIC) : start])
    body = memoryview(blob)[start:]
    if len(body) != length or zlib.crc32(body) != checksum:
        raise errors.InvalidArgument("a stored search must be whole", found=f"{len(body)} of {length} bytes, or a damaged one")
    (header,) = struct.unpack("<Q", body[:8])
    return _record(json.loads(bytes(body[8 : 8 + header])), _Reader(body[8 + header :]))


class _Reader:
    """Cuts arrays off the body, in the order in which they were written."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self._at = 0

    def array(self, shape: list[int], dtype: Any) -> npt.NDArray[Any]:
        kind = np.dtype([tuple(field) for field in dtype] if isinstance(dtype, list) else dtype)
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(self._body, dtype=kind, count=count, offset=self._at) if count else np.empty(0, dtype=kind)
        self._at += count * kind.itemsize
        return array.reshape(shape).astype(kind.newbyteorder("="), copy=True)


def _plain(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    """`value` as JSON; arrays go to `arrays` and leave their shape and type."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
        arrays.append(array)
        return {"array": list(array.shape), "dtype": array.dtype.descr if array.dtype.names else array.dtype.str}
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"record": type(value).__name__, "fields": [[name, _plain(named[name], arrays)] for name in named]}
    if isinstance(value, state.StopDecision):
        return {"stop": [value.reason, value.generation]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(item, arrays) for item in value]}
    return {"float": value.hex()} if isinstance(value, float) else value


def _record(plain: Any, reader: _Reader) -> Any:
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return reader.array(plain["array"], plain["dtype"])
    if "record" in plain:
        return _RECORDS[plain["record"]](**{name: _record(item, reader) for name, item in plain["fields"]})
    if "stop" in plain:
        return state.StopDecision(*plain["stop"])
    if "tuple" in plain:
        return tuple(_record(item, reader) for item in plain["tuple"])
    return float.fromhex(plain["float"])
