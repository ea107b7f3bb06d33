"""What a log line is about: fields that every line of a block carries.

``core/logs.py`` writes them: the run, its task and its league. A thread has the fields of the code
that started it only if it runs in a copy of that code's context.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_lines: ContextVar[set[str] | None] = ContextVar("log_lines", default=None)
_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default=MappingProxyType({}))


def log_fields() -> Mapping[str, str]:
    """The fields of the calling code's log lines, by name; empty for none."""
    return _fields.get()


@contextmanager
def add_log_fields(**fields: str) -> Iterator[None]:
    """Give the log lines of a block, or of a decorated function, these fields beside their own."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


@contextmanager
def once_each() -> Iterator[None]:
    """Let ``is_first`` begin anew, for this block and for threads in copies of its context."""
    token = _lines.set(set())
    try:
        yield
    finally:
        _lines.reset(token)


def is_first(line: str) -> bool:
    """Whether a block of ``once_each`` has not had this line yet; always true outside of one."""
    lines = _lines.get()
    if lines is None:
        return True
    is_new = line not in lines
    lines.add(line)
    return is_new
