"""Logging for all our processes: plain or JSON lines, to standard error or a file."""

import json
import logging
import time
from logging.handlers import WatchedFileHandler

from sportsapp.core.errors import TrackerError
from sportsapp.core.log_context import log_fields
from sportsapp.core.processes import process_name
from sportsapp.core.settings import Settings

CONTEXT = ("run", "task", "league")


class PlainFormatter(logging.Formatter):
    """One line for people, times in UTC; behind it the run, its task and its league, if any.

    Under `flask up` the process has a name, such as consumer, which follows the time.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def usesTime(self) -> bool:
        return True

    def formatMessage(self, record: logging.LogRecord) -> str:
        process = f"{process_name():<8} " if process_name() else ""
        line = f"{record.asctime} {process}{record.levelname:<7} {record.name}: {record.message}"
        known = [f"{name}={value}" for name in CONTEXT if (value := getattr(record, name, ""))]
        return f"{line} [{' '.join(known)}]" if known else line


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
            **{name: getattr(record, name, "") for name in CONTEXT},
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in fields.items() if value != ""})


def add_context(record: logging.LogRecord) -> bool:
    """Put the fields of the code that logs on the record: run, task and league, "" for none."""
    fields = log_fields()
    for name in CONTEXT:
        setattr(record, name, fields.get(name, ""))
    return True


def shorten_known_errors(record: logging.LogRecord) -> bool:
    """Log an error of our own as one line: the ledger keeps its traceback."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, TrackerError):
        record.msg = f"{record.getMessage()} {type(error).__name__}: {error}"
        record.args = None
        record.exc_info = record.exc_text = None
    return True


def set_up_logging(settings: Settings) -> None:
    """Send all log lines where the settings say. Each entry point calls this once."""
    handler: logging.Handler = (
        WatchedFileHandler(settings.log_file) if settings.log_file else logging.StreamHandler()
    )
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else PlainFormatter())
    handler.addFilter(shorten_known_errors)
    handler.addFilter(add_context)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in ("urllib3", "alembic"):  # they log each request and each migration
        logging.getLogger(name).setLevel(logging.WARNING)
