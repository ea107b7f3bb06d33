"""What a running `flask up` tells commands, in the file running.json of its instance folder.

Commands with the same INSTANCE_PATH read it: the demo feed's address, for one, is another each
time. The file is its owner's alone, like all in that folder, and holds no secrets.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from sportsapp.core.processes import process_start

NAME = "running.json"


def announce(folder: Path, settings: Mapping[str, str]) -> Path:
    """Write the file: this process runs with ``settings``, by their variables. Returns its path."""
    file, pid = folder / NAME, os.getpid()
    draft = file.with_suffix(f".{pid}")  # so that nobody reads half a file
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"pid": pid, "start": process_start(pid), "settings": settings}))
    return draft.replace(file)


def running_settings(folder: Path) -> dict[str, str]:
    """The settings, by their variables, of the `flask up` that runs on this folder; empty without.

    A file of a process that has ended, whose id another process may have by now, does not count.
    """
    try:
        running = json.loads((folder.expanduser() / NAME).read_text())
        is_alive = process_start(running["pid"]) == running["start"] != ""
        return {str(name): str(value) for name, value in running["settings"].items() if is_alive}
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # there is none, or it is not of our making
