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
"""

import sys
from pathlib import Path

import pandas as pd
from torch_geometric.data import HeteroData

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rdf

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


def aifb() -> HeteroData:
    """The graph of the paper: one node type, 45 relations.

    Returns:
        `entity`: 8,284 nodes without features; `affiliation` [8284] is 0 … 3, and -1 for all but 176 nodes;
        `train_mask` and `test_mask` [8284] hold 140 and 36 of them. 45 edge types `(entity, relation, entity)` with
        29,043 edges together; inverses are left to the spec.
    """
    triples, labels = read_folder()
    return rdf.build_graph(triples, rdf.one_type(triples, "entity"), LABEL, labels)


def aifb_typed() -> HeteroData:
    """The same nodes and edges with 7 node types.

    Returns:
        `person`, `publication`, `project`, `topic`, `organization`, `literal`, `ontology`; label and masks are on
        `person`. A relation that joins several types is one edge type for each pair: 57 edge types.
    """
    triples, labels = read_folder()
    return rdf.build_graph(triples, find_types(triples), LABEL, labels)


def read_folder() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Triples, as from `rdf.read_triples`, and labels.

    Raises:
        FileNotFoundError: saying where to get what is missing.
    """
    files = (ALL, *MASKS.values())
    folder = rdf.find_folder("aifb", files, SOURCE)
    graph = next((name for name in GRAPHS if (folder / name).is_file()), GRAPHS[0])
    folder = rdf.find_folder("aifb", (graph, *files), SOURCE)
    return rdf.read_triples(folder / graph, RENAMED), read_labels(folder)


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
    types = pd.Series(stated.object.map(rdf.local_name).map(type_of_class).to_numpy(), index=stated.subject).dropna()
    types = types[~types.index.duplicated()]
    names = pd.Index(pd.unique(pd.concat([triples.subject, triples.object])))
    is_resource = names.isin(triples.subject) | names.isin(triples.object[~triples.literal])
    return types.reindex(names).fillna(pd.Series("literal", index=names).where(~is_resource, "ontology"))
