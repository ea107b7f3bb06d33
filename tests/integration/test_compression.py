"""What goes out compressed, from which bytes, and what caches are told of it."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from sportsapp.core.settings import PROJECT_ROOT
from sportsapp.http import encoding
from sportsapp.web import static_files
from tests.integration.events import event

BROWSER = "gzip, deflate, br, zstd"
UNPACK: dict[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress}
STATIC = ("style.css", "live.js", "icon.svg", "admin.css", "admin.js")
OTHERS = ("/api/v1/games", "/api/v1/openapi.json", "/api/v1/", "/preferences", "/xyz")
PAGES = ("/", "/nfl", "/nfl/teams/ALP.ics", "/nfl/scores.atom")

each_encoding = pytest.mark.parametrize(
    ("accepted", "name"),
    [(BROWSER, "br"), ("br", "br"), ("gzip", "gzip"), ("gzip, br;q=0", "gzip"), ("*", "br")],
)


@pytest.fixture(autouse=True)
def games(synced, clock):
    """Enough for an answer that gets smaller."""
    synced("nfl", *(event(str(number)) for number in range(401, 409)))


@each_encoding
@pytest.mark.parametrize("path", [f"/static/{name}" for name in STATIC] + [*OTHERS, *PAGES])
def test_everything_but_the_panel_is_compressed_as_the_visitor_takes_it(
    visitor, path, accepted, name
):
    plain = visitor.get(path)
    answer = visitor.get(path, headers={"Accept-Encoding": accepted})
    assert (plain.headers.get("Content-Encoding"), answer.headers["Content-Encoding"]) == (
        None,
        name,
    )
    assert UNPACK[name](answer.data) == plain.data
    assert len(answer.data) < len(plain.data) == plain.content_length
    assert answer.content_length == len(answer.data)
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("path", ["/admin/sign-in", "/metrics"])
def test_panel_is_never_compressed(visitor, path):
    """The size of a compressed page could reveal the tokens in its forms."""
    answer = visitor.get(path, headers={"Accept-Encoding": BROWSER})
    assert ("Content-Encoding" in answer.headers) is (path == "/metrics")


def test_picture_is_sent_as_it_is(visitor):
    path = "/nfl/games/401/picture.png"
    answer = visitor.get(path, headers={"Accept-Encoding": BROWSER})
    assert answer.content_type == "image/png"
    assert "Content-Encoding" not in answer.headers
    assert answer.data == visitor.get(path).data


@pytest.mark.parametrize("accepted", ["", "identity", "zstd", "br;q=0, gzip;q=0", "br," * 500])
@pytest.mark.parametrize("path", ["/static/style.css", "/api/v1/games", "/nfl"])
def test_visitor_who_takes_neither_gets_it_as_it_is(visitor, path, accepted):
    answer = visitor.get(path, headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert answer.data == visitor.get(path).data


def test_static_file_is_compressed_once(visitor, monkeypatch):
    static_files._files.cache_clear()
    done = []
    original = encoding._compress

    def compress(data: bytes, name: str, level: int) -> bytes:
        done.append((name, level))
        return original(data, name, level)

    monkeypatch.setattr(encoding, "_compress", compress)
    for accepted in (BROWSER, BROWSER, "gzip", "gzip", ""):
        visitor.get("/static/style.css", headers={"Accept-Encoding": accepted})
    assert done == [("br", 11), ("gzip", 9)]


def test_each_encoding_of_a_static_file_has_its_own_etag_and_304(visitor):
    etags = {}
    for accepted in ("br", "gzip", ""):
        headers = {"Accept-Encoding": accepted}
        etags[accepted] = visitor.get("/static/style.css", headers=headers).headers["ETag"]
        again = visitor.get(
            "/static/style.css", headers={**headers, "If-None-Match": etags[accepted]}
        )
        assert (again.status_code, again.data) == (304, b"")
        assert "Accept-Encoding" in again.headers["Vary"]
    assert len(set(etags.values())) == 3
    assert not any(etag.startswith("W/") for etag in etags.values())


@pytest.mark.parametrize("accepted", ["br", "gzip", ""])
def test_part_of_a_static_file_is_that_part_of_what_is_sent(visitor, accepted):
    headers = {"Accept-Encoding": accepted}
    whole = visitor.get("/static/style.css", headers=headers).data
    part = visitor.get("/static/style.css", headers={**headers, "Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    beyond = {**headers, "Range": f"bytes={len(whole)}-"}
    assert visitor.get("/static/style.css", headers=beyond).status_code == 416


@pytest.mark.parametrize("path", ["/static/style.css", "/api/v1/games", "/nfl"])
def test_head_has_the_headers_of_get_and_no_body(visitor, path):
    got = visitor.get(path, headers={"Accept-Encoding": "br"})
    head = visitor.head(path, headers={"Accept-Encoding": "br"})
    assert head.data == b""
    for name in ("Content-Encoding", "Content-Length", "Content-Type", "ETag", "Vary"):
        assert sorted(head.headers[name].split(", ")) == sorted(got.headers[name].split(", ")), name


@pytest.mark.parametrize("accepted", ["br", "gzip", ""])
def test_api_client_gets_304_whatever_it_takes(visitor, accepted):
    headers = {"Accept-Encoding": accepted}
    first = visitor.get("/api/v1/games", headers=headers)
    known = {**headers, "If-None-Match": first.headers["ETag"]}
    assert visitor.get("/api/v1/games", headers=known).status_code == 304
    assert first.headers["ETag"].startswith("W/") is bool(accepted)


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "nothing.css", "style.css/", "."])
def test_nothing_but_the_files_of_the_folder_is_served(visitor, name):
    assert visitor.get(f"/static/{name}").status_code == 404


def test_files_are_what_is_in_the_folder(visitor):
    for path in filter(Path.is_file, (PROJECT_ROOT / "static").iterdir()):
        assert visitor.get(f"/static/{path.name}").data == path.read_bytes()


def test_service_worker_is_for_all_pages_and_is_asked_for_again_each_time(visitor):
    answer = visitor.get("/static/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "connect-src 'self'" in answer.headers["Content-Security-Policy"]


def test_manifest_names_pictures_that_there_are(visitor):
    answer = visitor.get("/static/site.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.data)
    assert {one["purpose"] for one in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        picture = visitor.get(icon["src"])
        width, height = struct.unpack(">II", picture.data[16:24])
        assert (f"{width}x{height}", picture.mimetype) == (icon["sizes"], icon["type"])
    assert visitor.get(manifest["start_url"]).status_code == 200
    assert "manifest-src 'self'" in visitor.get("/").headers["Content-Security-Policy"]
