"""The instance folder, who holds it, and the secret key that is kept in it."""

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator

from sportsapp.core import setting_values as read
from sportsapp.core.errors import SettingsError
from sportsapp.core.settings import Settings


def make_instance_folder(settings: Settings) -> None:
    """Make the instance folder, for its owner alone. Raises SettingsError if it is unusable."""
    path = settings.instance_path
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        raise SettingsError(
            f"INSTANCE_PATH: the folder {path} cannot be written ({error.strerror}); "
            "name a folder of your own, for example /srv/scores"
        ) from None


@contextlib.contextmanager
def hold_instance(settings: Settings) -> Iterator[None]:
    """Keep `flask up` and `flask restore` off this folder. Raises SettingsError if one has it."""
    with (settings.instance_path / "up.lock").open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a forked copy does not hold it
        except (BlockingIOError, PermissionError):
            raise SettingsError(
                f"INSTANCE_PATH: another `flask up` is running on {settings.instance_path}; "
                "stop it or name another folder, for example /srv/scores"
            ) from None
        yield


def secret_key_of(settings: Settings, *, make: bool = True) -> str:
    """The session key: the setting, or one made once and kept in the instance folder (600).

    Without ``make`` it is empty where there is none that can be read.
    Raises SettingsError for a kept key that was cut or replaced, so that it is easy to guess.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.instance_path / "secret_key"
    if not make and not os.access(path, os.R_OK):
        return ""
    if not path.exists():
        make_instance_folder(settings)
        # Written whole under another name and then linked, so that no process reads half a key.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process made the key first: its key is the one to use
        finally:
            draft.unlink()
    try:
        return read.secret_key(path.read_text().strip())
    except ValueError as error:
        raise SettingsError(
            f"SECRET_KEY: the key in {path} {error}; delete the file, and another key is made"
        ) from None
