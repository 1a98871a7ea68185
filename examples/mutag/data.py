"""MUTAG as a graph: molecules, their atoms and bonds, and what tests say of them, in RDF.

The files are those that the R-GCN paper was measured on. They state no licence, so they are no part of this project:
get https://data.dgl.ai/dataset/mutag.tgz (where PyG has them from, too), unpack it into a folder `mutag`, and let the
environment variable `GRAPHDSL_DATA` name the folder that holds `mutag` (without it, `../shared/data` is looked at,
relative to this repository). Read are

    mutag.nt.gz            74,567 triples; `isMutagenic`, the label of 340 molecules, is taken out of the graph
    (or mutag_stripped.nt.gz with completeDataset.tsv, where it is already out)
    test.tsv               68 of these molecules; the others train
    (or testSet.tsv)
"""

import sys
from pathlib import Path

import pandas as pd
from torch_geometric.data import HeteroData

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rdf

SOURCE = "https://data.dgl.ai/dataset/mutag.tgz"
GRAPHS, TESTS = ("mutag.nt.gz", "mutag_stripped.nt.gz"), ("test.tsv", "testSet.tsv")
ALL = "completeDataset.tsv"
LABEL, RELATION = "mutagenic", "isMutagenic"
TRUE = {"true", "1", "1.0"}


def mutag() -> HeteroData:
    """The graph of the paper: one node type.

    Returns:
        `entity`: 23,644 nodes without features; `mutagenic` [23644] is 0 or 1, and -1 for all but 340 nodes;
        `train_mask` and `test_mask` [23644] hold 272 and 68 of them. 23 edge types `(entity, relation, entity)` with
        74,227 edges together; inverses are left to the spec.
    """
    folder = rdf.find_folder("mutag", (), SOURCE)
    graph, test = (next((it for it in names if (folder / it).is_file()), names[0]) for names in (GRAPHS, TESTS))
    rdf.find_folder("mutag", (graph, test), SOURCE)
    triples = rdf.read_triples(folder / graph, {})
    told = triples[(triples.relation == RELATION) & triples.literal]
    labels = pd.DataFrame({"y": told.object.isin(TRUE).astype(int).to_numpy()}, index=told.subject.to_numpy())
    if labels.empty:
        rdf.find_folder("mutag", (ALL,), SOURCE)
        table = pd.read_csv(folder / ALL, sep="\t", index_col="bond")
        labels = pd.DataFrame({"y": table.label_mutagenic.astype(int)})
    tested = labels.index.isin(pd.read_csv(folder / test, sep="\t").bond)
    labels = labels.assign(train_mask=~tested, test_mask=tested)
    rest = triples.drop(told.index)
    return rdf.build_graph(rest, rdf.one_type(rest, "entity"), LABEL, labels)
