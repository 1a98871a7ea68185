"""The one place where names become identifiers, and back.

Real data sets call their types `web page`, `a__b` or `http://swrc.org#Person`. PyTorch modules and PyG's containers
join such names with `__` and `___` and forbid dots, so two different relations can end up sharing a parameter. The
encoding here is injective, leaves usual names alone and never contains `__`, so any join of encoded names stays
injective too.
"""

import re

_UNSAFE = re.compile(r"[^A-Ya-z0-9_]|(?<![A-Ya-z0-9])_|_(?![A-Ya-z0-9])")
_ESCAPE = re.compile(r"Z([0-9a-f]+)Z")
EdgeKey = tuple[str, str, str]


def encode(name: str) -> str:
    """Turn any name into an identifier; different names give different identifiers.

    ASCII letters (but `Z`), digits and underscores between two of them stay; anything else becomes its code point in
    hexadecimal between two `Z`.

    >>> encode("written_by"), encode("web page"), encode("a__b")
    ('written_by', 'webZ20Zpage', 'aZ5fZZ5fZb')
    """
    return _UNSAFE.sub(lambda match: f"Z{ord(match.group()):x}Z", name)


def decode(identifier: str) -> str:
    """Undo `encode`.

    >>> decode(encode("http://swrc.org#Person"))
    'http://swrc.org#Person'
    """
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), identifier)


def encode_edge(edge: EdgeKey) -> EdgeKey:
    """Encode the three names of an edge type."""
    source, relation, target = edge
    return encode(source), encode(relation), encode(target)


def join_edge(edge: EdgeKey) -> str:
    """One identifier for an edge type: `author__writes__paper`.

    >>> join_edge(("author", "writes", "paper"))
    'author__writes__paper'
    """
    return "__".join(encode_edge(edge))


def show_name(name: str) -> str:
    """A name as it is written in a spec: bare when it is an identifier, quoted otherwise.

    >>> show_name("paper"), show_name("web page")
    ('paper', '"web page"')
    """
    if re.fullmatch(r"[^\W\d]\w*", name):
        return name
    escaped = (
        name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    )
    return f'"{escaped}"'


def show_edge(edge: EdgeKey) -> str:
    """An edge type as it is written in a spec.

    >>> show_edge(("author", "writes", "paper"))
    'author -[writes]-> paper'
    """
    source, relation, target = edge
    return f"{show_name(source)} -[{show_name(relation)}]-> {show_name(target)}"
