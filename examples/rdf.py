"""RDF as a graph: N-Triples to a `HeteroData`, for the examples of the R-GCN benchmark.

Nodes are told apart by their text alone: `"4"` is one node, be it a decimal or a string, and so is a URI that is also
quoted as a string.
"""

import gzip
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch_geometric.data import HeteroData

_URI_OR_BLANK = r"(?:<([^>]*)>|(_:\S+))"
_LITERAL = r'"(.*)"(?:\^\^<[^>]*>|@\S+)?'
_TRIPLE = re.compile(rf"^{_URI_OR_BLANK} <([^>]*)> (?:{_URI_OR_BLANK}|{_LITERAL}) \.$", re.MULTILINE)


def find_folder(name: str, files: Sequence[str], source: str) -> Path:
    """The folder of a dataset: below `GRAPHDSL_DATA`, or below `../shared/data` beside this repository.

    Args:
        name: of the folder.
        files: what must be there.
        source: where to get it.

    Raises:
        FileNotFoundError: saying where to get what is missing.
    """
    root = os.environ.get("GRAPHDSL_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    folder = Path(root).resolve() / name
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        names = ", ".join(missing)
        raise FileNotFoundError(f"no {names} in {folder}: get {source}, or set GRAPHDSL_DATA to the parent of `{name}`")
    return folder


def read_triples(path: Path, renamed: Mapping[str, str]) -> pd.DataFrame:
    """Read packed N-Triples.

    Args:
        path: a `.nt.gz`.
        renamed: names of relations by URI; others go by their local names.

    Returns:
        One row per triple, in a fixed order: `subject`, `relation`, `object`, and `literal`, whether the object is one.
        URIs are without brackets, literals without quotes and datatype.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = pd.DataFrame(_TRIPLE.findall(file.read()), columns=["s", "s_blank", "relation", "o", "o_blank", "text"])
    resource = found.o + found.o_blank
    triples = pd.DataFrame({
        "subject": found.s + found.s_blank,
        "relation": found.relation.map(lambda uri: renamed.get(uri, local_name(uri))),
        "object": resource.where(resource != "", found.text),
        "literal": resource == "",
    })  # fmt: skip
    # A file lists triples in the order of some hash table; node numbers must not depend on it.
    return triples.sort_values(["relation", "subject", "object"], kind="stable", ignore_index=True)


def local_name(uri: str) -> str:
    """What stands behind the last `#` or `/`.

    >>> local_name("http://swrc.ontoware.org/ontology#author")
    'author'
    """
    return re.split("[#/]", uri)[-1]


def one_type(triples: pd.DataFrame, name: str) -> pd.Series:
    """The same node type for each node (index: name)."""
    return pd.Series(name, index=pd.unique(pd.concat([triples.subject, triples.object])))


def build_graph(triples: pd.DataFrame, types: pd.Series, label: str, labels: pd.DataFrame) -> HeteroData:
    """Number the nodes of each type and put edges, labels and masks into a `HeteroData`.

    Args:
        triples: as from `read_triples`.
        types: node type of each node (index: name).
        label: name of the label.
        labels: index: name of the node; column `y`: its class from 0; further columns: masks. All of one node type.
    """
    data = HeteroData()
    number = types.groupby(types).cumcount()
    for name, count in types.value_counts().sort_index().items():
        data[name].num_nodes = int(count)
    ends = pd.DataFrame({
        "from": types[triples.subject].to_numpy(), "to": types[triples.object].to_numpy(), "relation": triples.relation,
        "u": number[triples.subject].to_numpy(), "v": number[triples.object].to_numpy(),
    })  # fmt: skip
    for (source, relation, target), edges in ends.groupby(["from", "relation", "to"]):
        data[source, relation, target].edge_index = torch.from_numpy(edges[["u", "v"]].to_numpy().T.copy())
    store = data[types[labels.index[0]]]
    rows = torch.tensor(number[labels.index].to_numpy())
    store[label] = torch.full((store.num_nodes,), -1)
    store[label][rows] = torch.tensor(labels.y.to_numpy())
    for mask in labels.columns.drop("y"):
        store[mask] = torch.zeros(store.num_nodes, dtype=torch.bool)
        store[mask][rows] = torch.tensor(labels[mask].to_numpy())
    return data
