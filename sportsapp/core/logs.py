"""Logging for all our processes: plain or JSON lines, to standard error or a file.

Messages contain text of visitors and of the feed. It cannot begin a line of its own.
"""

import json
import logging
import os
import time
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler

from sportsapp.core.errors import TrackerError
from sportsapp.core.log_context import log_fields
from sportsapp.core.outages import limit_lines
from sportsapp.core.printable import printable, printable_lines
from sportsapp.core.processes import process_name
from sportsapp.core.settings import Settings


class PlainFormatter(logging.Formatter):
    """One line for people, times in UTC; behind it the run, its task and its league, if any.

    Under `flask up` the process has a name, such as consumer, which follows the time. A
    traceback follows on lines that begin with ``| ``. Nothing else begins a line.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def format(self, record: logging.LogRecord) -> str:
        time, process = self.formatTime(record), process_name()
        line = f"{time} {process:<8} " if process else f"{time} "
        line += f"{record.levelname:<7} {record.name}: {record.getMessage()}"
        about = " ".join(f"{name}={value}" for name, value in log_fields().items() if value)
        lines = [printable(f"{line} [{about}]" if about else line)]
        if record.exc_info:
            lines += printable_lines(self.formatException(record.exc_info))
        if record.stack_info:
            lines += printable_lines(self.formatStack(record.stack_info))
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with its process, run, task and league, if any."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self.formatTime(record),
            "process": process_name(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **log_fields(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        # json.dumps escapes what is not ASCII, and every control character but DEL
        return json.dumps({name: value for name, value in fields.items() if value != ""})


def shorten_known_errors(record: logging.LogRecord) -> bool:
    """Log an error of our own as one line: the ledger keeps its traceback."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, TrackerError):
        record.msg = f"{record.getMessage()} {type(error).__name__}: {error}"
        record.args = None
        record.exc_info = record.exc_text = None
    return True


class OwnersLogFile(WatchedFileHandler):
    """A log file, opened again when it was moved; one that it creates is for its owner alone."""

    def _open(self) -> TextIOWrapper:
        def create(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding=self.encoding, opener=create)


def set_up_logging(settings: Settings) -> None:
    """Send all log lines where the settings say. Each entry point calls this once."""
    path = settings.log_file
    handler = OwnersLogFile(path) if path else logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else PlainFormatter())
    handler.addFilter(limit_lines)
    handler.addFilter(shorten_known_errors)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    handler.setLevel(settings.log_level)
    # a run keeps its lines from INFO on, also where the log has fewer
    root.setLevel(min(logging.getLevelNamesMapping()[settings.log_level], logging.INFO))
    # urllib3 logs each request; its warnings contain the whole URL, which may be a secret
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # logs each migration
