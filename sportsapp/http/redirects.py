"""Where ``next`` and ``back`` of a form may lead: the one check of such an address."""

LONGEST_TARGET = 1000


def is_local_path(target: str) -> bool:
    """Whether this is a path of this site that can stand in a Location header as it is.

    A browser takes ``\\`` for ``/``, ``//host`` for another site, and drops line breaks and tabs.
    """
    path = target.partition("?")[0].partition("#")[0]
    is_odd = "//" in path or "\\" in target or " " in target or not target.isprintable()
    return target.startswith("/") and not is_odd and len(target) <= LONGEST_TARGET
