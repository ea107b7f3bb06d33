"""A table's rows as a file to download, however many there are: memory holds only some of them.

The file is whole before the response begins. So the database is not needed while it is sent, no
thread waits for whoever downloads it, and an error on the way is an error page, not a short file.
"""

import csv
import json
import tempfile
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from typing import Any, TextIO

from flask import Response, send_file

from sportsapp.admin.formatting import csv_value

MIMETYPES = {"csv": "text/csv", "json": "application/json"}


def file_response(kind: str, filename: str, names: Sequence[str], rows: Iterable[Any]) -> Response:
    """The response with the file; ``rows`` are JSON values in the order of ``names``.

    The file is a temporary one without a name, which is gone once it is closed.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the web server
    try:
        text = TextIOWrapper(file, "utf-8", newline="")
        _write(text, kind, names, rows)
        text.detach()  # writes what it holds
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    response = send_file(file, MIMETYPES[kind], as_attachment=True, download_name=filename)
    response.content_length = size
    return response


def _write(file: TextIO, kind: str, names: Sequence[str], rows: Iterable[Any]) -> None:
    if kind == "csv":
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(map(csv_value, row) for row in rows)
        return
    before = "[\n"
    for row in rows:
        file.write(before + json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")
