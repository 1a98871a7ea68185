"""ACM as HeCo prepared it: papers, their authors and their subject.

The files are those of HeCo (Wang et al., Self-supervised Heterogeneous Graph Neural Network with Co-contrastive
Learning, 2021). They state no licence, so they are no part of this project: get the folder `data/acm` of
https://github.com/liun-online/HeCo and let the environment variable `GRAPHDSL_DATA` name the folder that holds `acm`
(without it, `../shared/data` is looked at, relative to this repository). Read are

    p_feat.npz       features of the papers: words, each row sums to 1
    pa.txt, ps.txt   who wrote a paper, what its subject is
    labels.npy       field of each paper, one of 3
    train_60.npy     60 papers of each class; also with 20 and 40
    val_60.npy       1,000 papers
    test_60.npy      1,000 papers
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.sparse import load_npz
from torch_geometric.data import HeteroData

SOURCE = "https://github.com/liun-online/HeCo (data/acm)"
SPLITS = ("train", "val", "test")


def acm() -> HeteroData:
    """The graph with 60 labelled papers of each class, as the spec declares it.

    Returns:
        `paper` (4,019): `x` [4019, 1902] float, `y` [4019] 0 … 2, `train_mask`, `val_mask`, `test_mask` [4019];
        `author` (7,167) and `subject` (60) without features; `(paper, written_by, author)` with 13,407 edges and
        `(paper, is_about, subject)` with 4,019.
    """
    return read_acm(60)


def acm_40() -> HeteroData:
    """The same graph with 40 labelled papers of each class."""
    return read_acm(40)


def acm_20() -> HeteroData:
    """The same graph with 20 labelled papers of each class."""
    return read_acm(20)


def acm_words() -> HeteroData:
    """The graph with 60 labelled papers of each class, in the form of the Heterogeneous Graph Benchmark.

    Returns:
        As from `acm`, with relations called `to`, both ways, and words for all types: whether a paper has a word
        [4019, 1902], and the means of their papers for `author` [7167, 1902] and `subject` [60, 1902].
    """
    data = acm()
    data["paper"].x = (data["paper"].x > 0).float()
    for relation, target in (("written_by", "author"), ("is_about", "subject")):
        edges, count = data["paper", relation, target].edge_index, data[target].num_nodes
        total = torch.zeros(count, data["paper"].x.size(1)).index_add_(0, edges[1], data["paper"].x[edges[0]])
        data[target].x = total / torch.bincount(edges[1], minlength=count).clamp(min=1).unsqueeze(1)
        data["paper", "to", target].edge_index = edges
        data[target, "to", "paper"].edge_index = edges.flip(0)
        del data["paper", relation, target]
    return data


def read_acm(labelled: int) -> HeteroData:
    """Read the graph.

    Args:
        labelled: training papers of each class: 20, 40 or 60; the others are split differently with each.
    """
    masks = {f"{split}_mask": f"{split}_{labelled}.npy" for split in SPLITS}
    folder = find_folder(("p_feat.npz", "labels.npy", "pa.txt", "ps.txt", *masks.values()))
    data = HeteroData()
    paper = data["paper"]
    paper.x = torch.from_numpy(load_npz(folder / "p_feat.npz").toarray().astype(np.float32))
    paper.y = torch.from_numpy(np.load(folder / "labels.npy").astype(np.int64))
    for mask, name in masks.items():
        paper[mask] = torch.zeros(len(paper.y), dtype=torch.bool)
        paper[mask][torch.from_numpy(np.load(folder / name))] = True
    for relation, target, name in (("written_by", "author", "pa.txt"), ("is_about", "subject", "ps.txt")):
        edges = pd.read_csv(folder / name, sep="\t", header=None).to_numpy().T
        data[target].num_nodes = int(edges[1].max()) + 1
        data["paper", relation, target].edge_index = torch.tensor(edges)
    return data


def find_folder(files: tuple[str, ...]) -> Path:
    """The folder with the files.

    Raises:
        FileNotFoundError: saying where to get what is missing.
    """
    root = os.environ.get("GRAPHDSL_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    folder = Path(root).resolve() / "acm"
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        names = ", ".join(missing)
        raise FileNotFoundError(f"no {names} in {folder}: get {SOURCE}, or set GRAPHDSL_DATA to the parent of `acm`")
    return folder
