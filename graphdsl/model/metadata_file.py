"""Metadata as JSON: what compiling a model needs to know of data that lies elsewhere.

Not among the names of `graphdsl.model`, because it imports pydantic; torch is not needed.

    {"format": 1,
     "nodes": [{"type": "author", "count": 4057, "tensors": {"x": {"shape": [4057, 334], "dtype": "float32"}}}],
     "edges": [{"type": ["author", "writes", "paper"], "count": 19645, "tensors": {}}]}

Edges may have `"sent"` and `"received"`, lists of [degree, number of nodes], which layers that scale by degrees need; nodes
`"sizes"`, a list of [nodes, number of graphs], for readouts that do.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from graphdsl.model.metadata import Degrees, Metadata, StoreInfo, TensorInfo
from graphdsl.text import Diagnostic, EdgeKey, SpecError, report

FORMAT = 1
MAX_BYTES = 64_000_000
_Size = Annotated[int, Field(ge=0, strict=True)]
_Name = Annotated[str, StringConstraints(strict=True)]
_DType = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]*$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Tensor(_Record):
    shape: tuple[_Size, ...]
    dtype: _DType
    classes: _Size | None = None


class _Nodes(_Record):
    type: _Name
    count: _Size | None = None
    tensors: dict[_Name, _Tensor] = Field(default_factory=dict)
    sizes: tuple[tuple[_Size, _Size], ...] | None = None


class _Edges(_Record):
    type: tuple[_Name, _Name, _Name]
    count: _Size | None = None
    tensors: dict[_Name, _Tensor] = Field(default_factory=dict)
    sent: tuple[tuple[_Size, _Size], ...] | None = None
    received: tuple[tuple[_Size, _Size], ...] | None = None


class _Graphs(_Record):
    count: _Size | None = None
    tensors: dict[_Name, _Tensor] = Field(default_factory=dict)


class _Document(_Record):
    format: Literal[1]
    nodes: tuple[_Nodes, ...]
    edges: tuple[_Edges, ...]
    graphs: _Graphs | None = None


def metadata_to_json(metadata: Metadata) -> str:
    """Metadata as JSON text; equal metadata in the same order gives the same bytes.

    >>> metadata_to_json(Metadata({"term": StoreInfo(50)}, {})).splitlines()[1]
    ' "format": 1,'
    """
    nodes = tuple(
        _Nodes(
            type=name,
            count=info.count,
            tensors=_write_tensors(info.tensors),
            sizes=info.sizes.counts if info.sizes else None,
        )
        for name, info in metadata.nodes.items()
    )
    edges = tuple(
        _Edges(
            type=edge,
            count=info.count,
            tensors=_write_tensors(info.tensors),
            sent=info.sent.counts if info.sent else None,
            received=info.received.counts if info.received else None,
        )
        for edge, info in metadata.edges.items()
    )
    whole = metadata.graph
    of_graphs = whole.count is not None or whole.tensors
    graphs = _Graphs(count=whole.count, tensors=_write_tensors(whole.tensors)) if of_graphs else None
    document = _Document(format=FORMAT, nodes=nodes, edges=edges, graphs=graphs)
    return document.model_dump_json(indent=1, exclude_none=True) + "\n"


def metadata_from_json(text: str | bytes, where: str = "metadata") -> Metadata:
    """Read what `metadata_to_json` wrote.

    Args:
        text: JSON text.
        where: the file's name, for messages.

    Raises:
        SpecError: GNN611 for everything that is wrong with it.

    >>> metadata_from_json('{"format": 1, "nodes": [{"type": "term", "count": 50}], "edges": []}').nodes["term"].count
    50
    """
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        raise SpecError(_explain(item, where) for item in error.errors(include_url=False)) from None
    _refuse_repeated([item.type for item in document.nodes] + [item.type for item in document.edges], where)
    whole = document.graphs or _Graphs()
    return Metadata(
        graph=StoreInfo(whole.count, _read_tensors(whole.tensors)),
        nodes={
            item.type: StoreInfo(item.count, _read_tensors(item.tensors), sizes=_read_degrees(item.sizes))
            for item in document.nodes
        },
        edges={
            item.type: StoreInfo(
                item.count, _read_tensors(item.tensors), _read_degrees(item.sent), _read_degrees(item.received)
            )
            for item in document.edges
        },
    )


def read_metadata(path: str | Path) -> Metadata:
    """Read a metadata file.

    Raises:
        SpecError: GNN611: the file cannot be opened or is no metadata.
    """
    try:
        with open(path, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError([_refuse(f"cannot read `{path}`: {reason.lower()}", str(path))]) from None
    if len(raw) > MAX_BYTES:
        message = f"`{path}` is larger than {MAX_BYTES // 1_000_000} MB, so it is no metadata"
        raise SpecError([_refuse(message, str(path))])
    return metadata_from_json(raw, str(path))


def write_metadata(metadata: Metadata, path: str | Path) -> None:
    """Write a metadata file; an old one stays whole until the new one is.

    Raises:
        SpecError: GNN616: the file cannot be written.
    """
    target = Path(path)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(metadata_to_json(metadata), encoding="utf-8")
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        message = f"cannot write `{path}`: {(error.strerror or str(error)).lower()}"
        raise SpecError([report("GNN616", message, where=str(path))]) from None


def _write_tensors(tensors: Mapping[str, TensorInfo]) -> dict[str, _Tensor]:
    return {key: _Tensor(shape=item.shape, dtype=item.dtype, classes=item.classes) for key, item in tensors.items()}


def _read_tensors(tensors: Mapping[str, _Tensor]) -> dict[str, TensorInfo]:
    return {key: TensorInfo(item.shape, item.dtype, item.classes) for key, item in tensors.items()}


def _read_degrees(counts: tuple[tuple[int, int], ...] | None) -> Degrees | None:
    return None if counts is None else Degrees(counts)


def _refuse(message: str, where: str) -> Diagnostic:
    help_line = "write the file anew from the data: `graphdsl.data.write_metadata(graphdsl.data.inspect(data), path)`"
    return report("GNN611", message, where=where, helps=(help_line,))


def _explain(error: Any, where: str) -> Diagnostic:
    """One of pydantic's findings as a diagnostic."""
    path = ".".join(str(step) for step in error["loc"])
    found = "" if isinstance(error["input"], dict | list | str | bytes) else f" (found {error['input']!r})"
    place = f"`{path}`: " if path else ""
    return _refuse(f"not a metadata file: {place}{error['msg'][:1].lower()}{error['msg'][1:]}{found}", where)


def _refuse_repeated(types: Iterable[str | EdgeKey], where: str) -> None:
    """A type that stands there twice would hide the first."""
    seen: set[str | EdgeKey] = set()
    for name in types:
        if name in seen:
            raise SpecError([_refuse(f"not a metadata file: {name!r} stands in it twice", where)])
        seen.add(name)
