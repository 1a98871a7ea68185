"""A graph that a user's function makes: only the command line may ask for one, a spec never runs code."""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch_geometric.data import HeteroData

from graphdsl.data.graph_set import GraphSet, read_data
from graphdsl.data.sources.refusal import one_line, refuse, stop
from graphdsl.data.view import GraphData, open_data
from graphdsl.model import DataSource, Schema
from graphdsl.text import Diagnostic, SpecError, did_you_mean, listing

_MODULE = "graphdsl_user_data"
_SHOWN_FRAMES = 8


def call_function(source: DataSource, schema: Schema) -> GraphData | GraphSet:
    """Import `path/to/file.py` and call `function` of it without arguments.

    The file's folder is on `sys.path` meanwhile, as if it were run as a program.

    Args:
        source: its `name` is `path/to/file.py:function`.
        schema: what the data is to serve.

    Returns:
        The `HeteroData` or `(FeatureStore, GraphStore)` pair that the function returns, or its graphs where it returns
        several.

    Raises:
        SpecError: GNN611: no such file or function, an exception in it (with the user's own frames as notes), or a
            result that is no graph.
    """
    result = run_function(source)
    try:
        result = read_data(result, schema)
        if isinstance(result, GraphSet):
            return result
        open_data(result)
    except SpecError as error:
        first = error.diagnostics[0]
        message = f"`{source.name}` returned no graph: {first.message}"
        raise stop(refuse(source, message, *first.helps)) from None
    return result if isinstance(result, HeteroData) else (result[0], result[1])


def run_function(source: DataSource) -> Any:
    """What the function of a file returns, whatever it is.

    Raises:
        SpecError: GNN611: no such file or function, or an exception in it.
    """
    name, _, function = source.name.rpartition(":")
    path = (source.base / name).resolve()
    if not path.is_file():
        raise stop(refuse(source, f"cannot read `{path}`: no such file", "give `path/to/file.py:function`"))
    with _on_path(path.parent):
        module = _import(source, path)
        return _run(source, path, _find(source, module, function, name), f"`{function}` failed")


@contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _import(source: DataSource, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # Where dataclasses and pickle look for the module of a class.
    loader = spec.loader
    _run(source, path, lambda: loader.exec_module(module), "it cannot be imported")
    return module


def _find(source: DataSource, module: ModuleType, function: str, name: str) -> Callable[[], Any]:
    found = getattr(module, function, None)
    if callable(found):
        return found
    if found is not None:
        raise stop(refuse(source, f"`{function}` in `{name}` is a `{type(found).__name__}`, not a function"))
    own = [key for key, value in vars(module).items() if callable(value) and _is_own(key, value, module)]
    message = f"`{name}` has no function `{function}`"
    raise stop(refuse(source, message, *did_you_mean(function, own), notes=listing("functions", own)))


def _is_own(key: str, value: Any, module: ModuleType) -> bool:
    """Whether a name of a module is defined there, for others, rather than imported."""
    return not key.startswith("_") and getattr(value, "__module__", module.__name__) == module.__name__


def _run(source: DataSource, path: Path, call: Callable[[], Any], problem: str) -> Any:
    """Run a user's code; what it raises becomes a diagnostic with the user's own frames."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        raise stop(_explain(source, path, error, problem)) from error


def _explain(source: DataSource, path: Path, error: BaseException, problem: str) -> Diagnostic:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        place = f"{path}:{error.lineno}: {(error.text or '').strip()}"
        return refuse(source, f"`{source.name}`: {problem} ({one_line(error)})", notes=(place,))
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename == str(path)), len(frames))
    shown = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames[first:]]
    if len(shown) > _SHOWN_FRAMES:
        shown = [*shown[: _SHOWN_FRAMES // 2], "…", *shown[-_SHOWN_FRAMES // 2 :]]
    return refuse(source, f"`{source.name}`: {problem} ({one_line(error)})", notes=shown)
