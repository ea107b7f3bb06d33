"""README's Python, run as it stands there: real broker, real consumers."""

from __future__ import annotations

import re
import subprocess
import sys

from sportsapp.core.settings import PROJECT_ROOT
from tests.acceptance import harm

BLOCKS = re.findall(r"```python\n(.*?)```", (PROJECT_ROOT / "README.md").read_text(), re.DOTALL)


def test_python_of_the_readme_does_what_it_says(real_settings, broker, start_consumer, feed):
    harm.serve_months(feed)
    for queue in ("huey", "backfill_huey"):
        start_consumer(queue)
    told = "print(run.state, run.ready, run.failed, run.result, run.progress.done)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join([*BLOCKS, told])],
        cwd=PROJECT_ROOT, env=harm.environ_of(real_settings), capture_output=True, text=True,
        timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    backfill, live, run = done.stdout.splitlines()
    assert backfill.endswith("{'synced': 3, 'errors': []}")
    assert live.startswith("{'synced': ")
    assert run == "SUCCESS True False {'synced': 3, 'errors': []} 1"
