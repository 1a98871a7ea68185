"""Checkpoints that say where they come from, and refuse to be loaded where they do not fit.

A checkpoint is Lightning's, plus an entry `graphdsl` with everything that is needed to build the model again: the
spec's text, the model's name, parameter values, the schema's fingerprint, metadata of the data, settings, versions,
metrics. All of it is plain values, so it is read with `weights_only`: no code is ever unpickled.
"""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import lightning
import pydantic
import torch
import torch_geometric
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor, nn

from graphdsl.model import Metadata, Schema
from graphdsl.model.metadata_file import metadata_to_json
from graphdsl.text import Diagnostic, SpecError, report
from graphdsl.training.writing import write_tensors

FORMAT = 1
ENTRY = "graphdsl"
PREFIX = "model."
"""What Lightning puts before the names of the compiled model's weights."""

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was made from.

    Attributes:
        spec: the spec's whole text.
        spec_name: the name of its file.
        model: the model's name.
        parameters: the values that it was compiled with.
        schema: its schema.
        metadata: sizes of the data that it was compiled for.
        settings: the training settings as plain values.
        plugins: layers of plug-ins that the model has: where each is from, the fields of `catalog.Provider`.
    """

    spec: str
    spec_name: str
    model: str
    parameters: Mapping[str, Any]
    schema: Schema
    metadata: Metadata
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    plugins: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


class Header(pydantic.BaseModel):
    """What stands in a checkpoint under `graphdsl`; see `Origin`.

    Attributes:
        format: version of this entry.
        schema_text: canonical text of the schema.
        fingerprint: hash of `schema_text`.
        metadata: as JSON.
        versions: of graphdsl, torch, torch_geometric, lightning and Python.
        metrics: of the epoch that the weights are from.
        epoch: epochs trained so far.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="ignore", strict=True)

    format: int
    spec: str
    spec_name: str
    model: str
    parameters: dict[str, Any]
    schema_text: str
    fingerprint: str
    metadata: str
    settings: dict[str, Any]
    versions: dict[str, str]
    metrics: dict[str, float]
    epoch: int
    plugins: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that has been read.

    Attributes:
        path: its file.
        header: what it says about itself.
        weights: the compiled model's state dict.
    """

    path: Path
    header: Header
    weights: Mapping[str, Tensor]


def fingerprint(schema_text: str) -> str:
    """A hash of a schema's canonical text; equal for schemas that the same weights fit."""
    return hashlib.sha256(schema_text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    return {
        "graphdsl": import_module("graphdsl").__version__,
        "torch": str(torch.__version__),
        "torch_geometric": torch_geometric.__version__,
        "lightning": lightning.__version__,
        "python": platform.python_version(),
    }


def write_header(origin: Origin, metrics: Mapping[str, float], epoch: int) -> dict[str, Any]:
    """The entry `graphdsl` of a checkpoint, as plain values."""
    text = origin.schema.fingerprint_text()
    header = Header(
        format=FORMAT,
        spec=origin.spec,
        spec_name=origin.spec_name,
        model=origin.model,
        parameters=dict(origin.parameters),
        schema_text=text,
        fingerprint=fingerprint(text),
        metadata=metadata_to_json(origin.metadata),
        settings=dict(origin.settings),
        versions=versions(),
        metrics=dict(metrics),
        epoch=epoch,
        plugins={name: dict(provider) for name, provider in origin.plugins.items()},
    )
    return header.model_dump()


class WholeFileIO(TorchCheckpointIO):
    """Checkpoint files appear whole or not at all, and are read without running code.

    Lightning's own way through `fsspec` writes to the system's folder for temporary files; moving from there to
    another disk is a copy that can stop half-way.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write beside the target, then rename."""
        write_tensors(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = "cpu", weights_only: bool | None = True) -> dict[str, Any]:
        """Read plain values."""
        return _load(Path(path))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint of ours.

    Raises:
        SpecError: GNN615: missing, a folder, empty, cut short, or written by something else.
    """
    path = Path(path)
    content = _load(path)
    entry = content.get(ENTRY) if isinstance(content, dict) else None
    if entry is None:
        raise SpecError([_unreadable(path, "it was not written by `gnn train`")])
    try:
        header = Header.model_validate(entry)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SpecError([_unreadable(path, f"its entry `{place}` is damaged: {first['msg'].lower()}")]) from error
    if header.format > FORMAT:
        raise SpecError([_unreadable(path, f"its format {header.format} is newer than this program's {FORMAT}")])
    weights = content.get("state_dict")
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise SpecError([_unreadable(path, "it holds no weights")])
    own = {name.removeprefix(PREFIX): value for name, value in weights.items() if name.startswith(PREFIX)}
    return Checkpoint(path, header, own)


def _load(path: Path) -> Any:
    if path.is_dir():
        helps = (f"give the path of a file, such as `{path}/best.ckpt`",)
        raise SpecError([_unreadable(path, "it is a folder", helps)])
    try:
        with open(path, "rb") as stream:
            return _unpickle(path, stream)
    except OSError as error:
        raise SpecError([_unreadable(path, (error.strerror or str(error)).lower())]) from error


def _unpickle(path: Path, stream: BinaryIO) -> Any:
    try:
        return torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # Damaged files fail in many ways inside torch and its unpickler.
        reason = "it is empty" if path.stat().st_size == 0 else "it is damaged, or no checkpoint"
        raise SpecError([_unreadable(path, reason)]) from error


def _unreadable(path: Path, reason: str, helps: tuple[str, ...] = ()) -> Diagnostic:
    helps = helps or ("give the path of a `best.ckpt` or `last.ckpt` that `gnn train` wrote",)
    return report("GNN615", f"cannot read the checkpoint `{path}`: {reason}", where=str(path), helps=helps)


def check_schema(checkpoint: Checkpoint, schema: Schema, model: nn.Module | None = None) -> None:
    """Refuse weights that were made for another schema or model.

    Args:
        checkpoint: what is to be loaded.
        schema: the schema that it is to serve.
        model: the compiled model that it is to be loaded into.

    Raises:
        SpecError: GNN614 with the lines in which the schemas differ (- in the checkpoint, + here), or the parameters
            that differ.
    """
    text = schema.fingerprint_text()
    what, notes = "another schema", _compare_schemas(checkpoint.header.schema_text, text)
    if not notes and model is not None:
        what, notes = "another model or other data", _compare_weights(checkpoint.weights, model.state_dict())
    if notes:
        message = f"`{checkpoint.path}` holds weights of {what}"
        more = [f"… and {len(notes) - _SHOWN} more"] if len(notes) > _SHOWN else []
        legend = "`-` is in the checkpoint, `+` is wanted here"
        helps = ("use the spec and the data that it was trained with, or train again",)
        raise SpecError([report("GNN614", message, where=str(checkpoint.path), notes=[legend, *notes[:_SHOWN], *more],
                                helps=helps)])  # fmt: skip


def _compare_schemas(stored: str, wanted: str) -> list[str]:
    difference = list(unified_diff(stored.split("\n"), wanted.split("\n"), lineterm="", n=0))
    return [f"{line[0]} {line[1:]}" for line in difference[2:] if not line.startswith("@@")]


def _compare_weights(stored: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    notes: list[str] = []
    for name in sorted({*stored, *wanted}):
        old = f"{name} {list(stored[name].shape)}" if name in stored else None
        new = f"{name} {list(wanted[name].shape)}" if name in wanted else None
        if old != new:
            notes += [f"{sign} {said}" for sign, said in (("-", old), ("+", new)) if said is not None]
    return notes


def load_weights(checkpoint: Checkpoint, model: nn.Module, schema: Schema) -> None:
    """Load a checkpoint's weights into a compiled model, after `check_schema`."""
    check_schema(checkpoint, schema, model)
    model.load_state_dict(dict(checkpoint.weights))
