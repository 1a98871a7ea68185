"""What graphdsl has to know of the layer; no torch here."""

from graphdsl.catalog import Entry, ForwardInput, Parameter, parts, rules

GATE_CONV = Entry(
    name="GateConv",
    kind="conv",
    path="sample_layers.conv.GateConv",
    doc="Mean of the neighbours, each behind a gate that reads the edge, plus the node itself.",
    parameters=(parts.OUT_CHANNELS, Parameter("steepness", "float", 1.0, above=0), parts.BIAS),
    derived={"in_channels": "pair", "edge_dim": "edge_width"},
    width=rules.out_channels,
    scope="relation",
    inputs=(ForwardInput("edge_attr", "edge", width_parameter="edge_dim"),),
)
ENTRIES = (GATE_CONV,)
