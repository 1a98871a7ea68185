"""Reading files: whatever cannot be a spec is refused with a code, never with an exception."""

import errno
from pathlib import Path

import pytest

from graphdsl.text import SourceText, read_source
from graphdsl.text.source import MAX_BYTES


def code_of(path: Path | str) -> str:
    found = read_source(path)
    assert not isinstance(found, SourceText)
    assert found.where == str(path)
    return found.code


def test_missing_file_folder_and_impossible_path(tmp_path: Path) -> None:
    assert code_of(tmp_path / "no.gnn") == "GNN001"
    assert code_of(tmp_path) == "GNN001"
    assert code_of("a\0b") == "GNN001"
    assert code_of("") == "GNN001"
    assert code_of("x" * 5000) == "GNN001"


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    found = read_source(tmp_path / "mine.gnn")
    assert found.code == "GNN001"
    assert found.message.endswith("permission denied")


def test_largest_file_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "large.gnn"
    path.write_bytes(b"#" * MAX_BYTES)
    assert isinstance(read_source(path), SourceText)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert code_of(path) == "GNN003"


def test_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge.gnn"
    with open(path, "wb") as stream:
        stream.truncate(50_000_000)
    assert code_of(path) == "GNN003"


@pytest.mark.parametrize("raw", [b"\xff\xfe", "Größe".encode("latin-1"), "schema".encode("utf-16"), b"a\0b", b"\x80"])
def test_binary_and_other_encodings(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "binary.gnn"
    path.write_bytes(raw)
    assert code_of(path) == "GNN002"


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", ("",)),
        (b"a\nb", ("a", "b")),
        (b"a\r\nb\r\n", ("a", "b", "")),
        (b"a\rb", ("a", "b")),
        (b"\xef\xbb\xbfa", ("a",)),
        ("größe\u2028x".encode(), ("größe\u2028x",)),
    ],
)
def test_lines_end_where_the_parser_ends_them(tmp_path: Path, raw: bytes, lines: tuple[str, ...]) -> None:
    path = tmp_path / "lines.gnn"
    path.write_bytes(raw)
    source = read_source(path)
    assert isinstance(source, SourceText)
    assert source.lines == lines


@pytest.mark.parametrize(("offset", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (4, (2, 2)), (5, (3, 1))])
def test_place_of_an_offset(offset: int, place: tuple[int, int]) -> None:
    assert SourceText("a", "ab\nc\nd").place(offset) == place
