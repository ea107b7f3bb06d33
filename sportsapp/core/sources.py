"""Where settings come from: the environment, a `flask up` that runs, the file .env beside app.py.

The first of them that has a variable decides, in this order. FLASK_SKIP_DOTENV=1 leaves the file
out; the tests set it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from sportsapp.core.errors import SettingsError
from sportsapp.core.running import running_settings

ENVIRONMENT, RUNNING, DOTENV = "environment", "flask up", ".env"
Sources = dict[str, Mapping[str, str]]


def setting_sources(root: Path, environ: Mapping[str, str] | None = None) -> Sources:
    """Variables by the name of their source, the first source that counts first.

    ``root`` is the folder of app.py. With ``environ`` that is the only source. Raises SettingsError
    for a file that cannot be read.
    """
    if environ is not None:
        return {ENVIRONMENT: environ}
    dotenv = {} if os.environ.get("FLASK_SKIP_DOTENV", "") not in ("", "0") else _dotenv(root)
    text, _ = variable("INSTANCE_PATH", {ENVIRONMENT: os.environ, DOTENV: dotenv})
    running = running_settings(Path(text) if text else root / "instance")
    if os.environ.get("DATABASE_URL", "").strip() and "DATABASE_URL" in running:
        running = {}  # that is the demo, whose games belong into no database but its own
    return {ENVIRONMENT: os.environ, RUNNING: running, DOTENV: dotenv}


def variable(name: str, sources: Sources) -> tuple[str, str]:
    """The text of a variable and its source, both empty when no source has it.

    An empty variable counts as unset, and hides the later sources.
    """
    source = next((source for source, given in sources.items() if name in given), "")
    text = sources[source][name].strip() if source else ""
    return text, source if text else ""


def _dotenv(root: Path) -> dict[str, str]:
    try:
        values = dotenv_values(root / ".env", interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{root / '.env'} cannot be read ({error})") from None
    return {name: text for name, text in values.items() if text is not None}
