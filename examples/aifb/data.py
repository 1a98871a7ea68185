"""AIFB as a graph: persons, publications, projects and topics of a research institute, in RDF.

The files are those that the R-GCN paper was measured on. They state no licence, so they are no part of this project:
get https://data.dgl.ai/dataset/aifb.tgz (where PyG has them from, too), unpack it into a folder `aifb`, and let the
environment variable `GRAPHDSL_DATA` name the folder that holds `aifb` (without it, `../shared/data` is looked at,
relative to this repository). Read are

    aifb_stripped.nt.gz   29,043 triples in 45 relations; who belongs to which group is already left out
    (or aifb+.nt.gz)
    completeDataset.tsv   the group of 176 persons, one of 4: the label
    trainingSet.tsv       140 of these persons
    testSet.tsv           36 of these persons

Nodes are told apart by their text alone: `"4"` is one node, be it a decimal or a string, and so is a URI that is also
quoted as a string.
"""

import gzip
import os
import re
from pathlib import Path

import pandas as pd
import torch
from torch_geometric.data import HeteroData

SOURCE = "https://data.dgl.ai/dataset/aifb.tgz"
GRAPHS = ("aifb_stripped.nt.gz", "aifb+.nt.gz")
ALL, TRAIN, TEST = "completeDataset.tsv", "trainingSet.tsv", "testSet.tsv"
LABEL = "affiliation"
MASKS = {"train_mask": TRAIN, "test_mask": TEST}

RENAMED = {
    "http://swrc.ontoware.org/ontology#type": "swrc_type",
    "http://www.aifb.uni-karlsruhe.de/WBS/dvr/owltools/merge/type": "merge_type",
}
"""Relations go by their local names. Three are called `type`; rdf:type keeps the name."""

CLASSES = {
    "person": (
        *("Person", "PhDStudent", "Graduate", "Undergraduate", "FullProfessor", "AssistantProfessor", "Lecturer"),
        *("TechnicalStaff", "Manager"),
    ),
    "publication": (
        *("Publication", "Article", "Book", "InCollection", "InProceedings", "Misc", "Proceedings", "TechnicalReport"),
    ),
    "project": ("Project",),
    "topic": ("ResearchTopic",),
    "organization": ("Organization", "ResearchGroup"),
}
"""Node types by rdf:type (local name). Strings and numbers are `literal`; the rest, the vocabulary, is `ontology`."""

_URI_OR_BLANK = r"(?:<([^>]*)>|(_:\S+))"
_LITERAL = r'"(.*)"(?:\^\^<[^>]*>|@\S+)?'
_TRIPLE = re.compile(rf"^{_URI_OR_BLANK} <([^>]*)> (?:{_URI_OR_BLANK}|{_LITERAL}) \.$", re.MULTILINE)


def aifb() -> HeteroData:
    """The graph of the paper: one node type, 45 relations.

    Returns:
        `entity`: 8,284 nodes without features; `affiliation` [8284] is 0 … 3, and -1 for all but 176 nodes;
        `train_mask` and `test_mask` [8284] hold 140 and 36 of them. 45 edge types `(entity, relation, entity)` with
        29,043 edges together; inverses are left to the spec.
    """
    folder = find_folder()
    triples = read_triples(folder)
    names = pd.unique(pd.concat([triples.subject, triples.object]))
    return build_graph(triples, pd.Series("entity", index=names), read_labels(folder))


def aifb_typed() -> HeteroData:
    """The same nodes and edges with 7 node types.

    Returns:
        `person`, `publication`, `project`, `topic`, `organization`, `literal`, `ontology`; label and masks are on
        `person`. A relation that joins several types is one edge type for each pair: 57 edge types.
    """
    folder = find_folder()
    triples = read_triples(folder)
    return build_graph(triples, find_types(triples), read_labels(folder))


def find_folder() -> Path:
    """The folder with the files.

    Raises:
        FileNotFoundError: saying where to get what is missing.
    """
    root = os.environ.get("GRAPHDSL_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    folder = Path(root).resolve() / "aifb"
    missing = [name for name in (ALL, TRAIN, TEST) if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in GRAPHS):
        missing.insert(0, GRAPHS[0])
    if missing:
        names = ", ".join(missing)
        raise FileNotFoundError(f"no {names} in {folder}: get {SOURCE}, or set GRAPHDSL_DATA to the parent of `aifb`")
    return folder


def read_triples(folder: Path) -> pd.DataFrame:
    """Read the N-Triples.

    Returns:
        One row per triple, in a fixed order: `subject`, `relation` (local name), `object`, and `literal`, whether the
        object is one. URIs are without brackets, literals without quotes and datatype.
    """
    path = next(folder / name for name in GRAPHS if (folder / name).is_file())
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = pd.DataFrame(_TRIPLE.findall(file.read()), columns=["s", "s_blank", "relation", "o", "o_blank", "text"])
    resource = found.o + found.o_blank
    triples = pd.DataFrame({
        "subject": found.s + found.s_blank,
        "relation": found.relation.map(lambda uri: RENAMED.get(uri, local_name(uri))),
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


def read_labels(folder: Path) -> pd.DataFrame:
    """Persons (index: URI) with their class `y` and the split they are in: columns `train_mask` and `test_mask`."""
    table = pd.read_csv(folder / ALL, sep="\t", index_col="person")
    held = {mask: pd.read_csv(folder / name, sep="\t").person for mask, name in MASKS.items()}
    return pd.DataFrame(
        {"y": pd.factorize(table.label_affiliation, sort=True)[0], **{k: table.index.isin(v) for k, v in held.items()}},
        index=table.index,
    )


def find_types(triples: pd.DataFrame) -> pd.Series:
    """The node type of each node (index: name)."""
    type_of_class = {name: kind for kind, classes in CLASSES.items() for name in classes}
    stated = triples[(triples.relation == "type") & ~triples.literal]
    types = pd.Series(stated.object.map(local_name).map(type_of_class).to_numpy(), index=stated.subject).dropna()
    types = types[~types.index.duplicated()]
    names = pd.Index(pd.unique(pd.concat([triples.subject, triples.object])))
    is_resource = names.isin(triples.subject) | names.isin(triples.object[~triples.literal])
    return types.reindex(names).fillna(pd.Series("literal", index=names).where(~is_resource, "ontology"))


def build_graph(triples: pd.DataFrame, types: pd.Series, labels: pd.DataFrame) -> HeteroData:
    """Number the nodes of each type and put edges, labels and masks into a `HeteroData`.

    Args:
        triples: as from `read_triples`.
        types: node type of each node (index: name).
        labels: as from `read_labels`.
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
    store[LABEL] = torch.full((store.num_nodes,), -1)
    store[LABEL][rows] = torch.tensor(labels.y.to_numpy())
    for mask in MASKS:
        store[mask] = torch.zeros(store.num_nodes, dtype=torch.bool)
        store[mask][rows] = torch.tensor(labels[mask].to_numpy())
    return data
