"""``python -m bench.serving module:name port``: a WSGI application on the production web server."""

import sys
from pkgutil import resolve_name

from sportsapp.commands.serve import serve
from sportsapp.commands.shell import bind

if __name__ == "__main__":
    serve(resolve_name(sys.argv[1]), bind("127.0.0.1", int(sys.argv[2])), body_limit=256 * 1024)
