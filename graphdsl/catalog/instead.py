"""What PyG has a class or function for and the language says in another way."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_EXPLAINERS: Final = "a compiled model is a module like any other: hand it to PyG's function in Python"

INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "HeteroConv": "`edges { … } combine …`",
        "HeteroDictLinear": "`nodes { … }`",
        "MessageNorm": "`GENConv(64, msg_norm = true)`, the layer that it is part of",
        "HeteroLinear": "`nodes { *: Linear(64) }`, which has one map for each type",
        "HeteroBatchNorm": "`| BatchNorm`, which has one norm for each type",
        "HeteroLayerNorm": '`| LayerNorm(mode = "node")`, which has one norm for each type',
        "Sequential": "`sequential x, edge_index { … }`",
        "to_hetero": "rules: `edges { *: SAGEConv(64) }` gives every relation a layer of its own",
        "to_hetero_with_bases": "`RGCNConv(64, num_bases = 4)` in `edges { … }`, which shares bases between relations",
        "to_fixed_size": "`fanout`, `batch_size` and `optional` types, which make every batch alike",
        "DataParallel": "distributed training of Lightning; a compiled model is a module like any other",
        "summary": "`gnn plan SPEC --data DATA`, or PyG's `summary` of the compiled model",
        "Reshape": "layers that say their widths",
        "JumpingKnowledge": '`jump(h0, h1, mode = "lstm")`; in a `sequential` block `jump: x1, x2 -> x`',
        "HeteroJumpingKnowledge": '`jump(h0, h1, mode = "lstm")`, which works type by type',
        "InnerProductDecoder": "`predict a -[r]-> b: dot`",
        "KGEModel": "`predict a -[r]-> b: transe` (or `distmult`, `complex`, `rotate`) on `Embedding`s",
        "ARLinkPredictor": "`predict a -[r]-> a: attract_repel(64)`",
        "LPFormer": "`predict a -[r]-> a: lpformer(64)`, which reads the graph around both ends",
        "SignedGCN": '`SignedConv`s and `predict a -[likes]-> a: signed(negative = "dislikes")`',
        "RENet": '`predict a -[r]-> a: renet(200, rel = "CLASS")`, for a relation with a `time` and a class',
        "TGNMemory": '`predict a -[r]-> b: tgn(100, 100, 100, msg = "ATTRIBUTE")`, for a relation with a `time`',
        **dict.fromkeys(
            ("IdentityMessage", "LastAggregator", "MeanAggregator", "LastNeighborLoader", "TimeEncoder"),
            '`predict a -[r]-> b: tgn(100, 100, 100, msg = "ATTRIBUTE")`, which has them inside',
        ),
        "KGTripletLoader": "`predict a -[r]-> b: transe`, trained with `batch_size`",
        "TransE": "`predict a -[r]-> b: transe` on `Embedding`s",
        "DistMult": "`predict a -[r]-> b: distmult` on `Embedding`s",
        "ComplEx": "`predict a -[r]-> b: complex` on `Embedding`s",
        "RotatE": "`predict a -[r]-> b: rotate` on `Embedding`s",
        "GlobalAttention": "`AttentionalAggregation(gate_nn = MLP(64, 1))`",
        "global_sort_pool": "`SortAggregation(k = 10)`",
        "MetaPath2Vec": "`learn METAPATH: MetaPath2Vec(…)`",
        "Node2Vec": "`learn a -[r]-> a: Node2Vec(…)`",
        "DeepGraphInfomax": "`learn TYPE: DeepGraphInfomax`, behind the encoder",
        "LabelPropagation": "`predict TYPE.LABEL: LabelPropagation(along = RELATION, num_layers = 50, alpha = 0.9)`",
        "CorrectAndSmooth": "`predict TYPE.LABEL: CorrectAndSmooth(50, 1.0, 50, 0.8, along = RELATION, head = Linear(4))`",
        "MaskLabel": "`nodes { TYPE: MaskLabel(64, y = LABEL, ratio = 0.65) }`",
        "GPSENodeEncoder": "steps: `BatchNorm: pestat_GPSE -> p`, `MLP(64, 32, norm = none): p -> p`, `cat: x, p -> x`",
        "GAE": "`predict a -[r]-> a: dot`, behind the encoder",
        "VGAE": "`cat(mu, logstd) | Variational`, `penalty Variational weight w` and `predict a -[r]-> a: dot`",
        "ARGA": "`z | Adversarial(MLP(64, 1))`, `penalty Adversarial` and `predict a -[r]-> a: dot`",
        "ARGVA": "`cat(mu, logstd) | Variational | Adversarial(MLP(64, 1))`, both penalties and `predict a -[r]-> a: dot`",
        "to_captum_model": _EXPLAINERS,
        "to_captum_input": _EXPLAINERS,
        "captum_output_to_dicts": _EXPLAINERS,
    }
)
"""What to write, by the name in PyG; the contract test holds it against what PyG exports."""
