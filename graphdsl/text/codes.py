"""The registry of diagnostic codes, by phase.

0xx text and syntax, 1xx names, 2xx parameters and values, 3xx layers on relations, 4xx metapaths, 5xx wiring, widths
and liveness, 6xx spec against data and stored files, 7xx pedantic, 8xx names of other versions and frameworks, 9xx internal.
"""

from graphdsl.text.code import Code
from graphdsl.text.code import error as _error
from graphdsl.text.code import note as _note
from graphdsl.text.code import warning as _warning

CODES: tuple[Code, ...] = (
    # 0xx text and syntax
    _error("GNN001", "unreadable-file", "The file cannot be opened: it is missing, a folder, or not permitted."),
    _error("GNN002", "not-text", "A spec is UTF-8 text; this file holds bytes that no text has."),
    _error("GNN003", "too-large", "A spec is at most 1 MB; larger files are data given in the wrong place."),
    _error("GNN004", "empty-spec", "The file says nothing: no schema, model or train block."),
    _error("GNN005", "too-deep", "Brackets are nested deeper than any model needs."),
    _error("GNN010", "syntax", "The text does not follow the grammar at this place."),
    _error("GNN011", "unknown-character", "This character starts no word of the language."),
    _error("GNN012", "unclosed", "A bracket, brace or string is opened and never closed."),
    _error("GNN013", "version", "The spec asks for a version of the language that this program does not know."),
    _error("GNN014", "other-notation", "The text is written as in Python, C or YAML; a spec says this differently."),
    _error("GNN015", "unreadable-document", "A spec in YAML or JSON that is no YAML or JSON: its text cannot be read."),
    _error(
        "GNN016", "document-form", "A spec in YAML or JSON has another form than such documents have (gnn.schema.json)."
    ),
    _error("GNN017", "duplicate-key", "A key is given twice in a mapping, so one value would hide the other."),
    _warning("GNN020", "unreadable-allow", "A comment starts like a suppression, and nobody can tell what it allows."),
    _warning(
        "GNN021", "allow-without-reason", "Whoever reads the spec later cannot tell whether the reason still holds."
    ),
    _warning("GNN022", "unknown-allow", "A comment allows a code that does not exist, so it allows nothing."),
    _warning("GNN023", "allowed-error", "Only warnings and notes can be allowed: an error is never right."),
    _warning(
        "GNN024", "unused-allow", "A comment allows what is not found there; it would hide the next such finding."
    ),
    # 1xx names
    _error("GNN101", "unknown-name", "A name is used that nothing declares."),
    _error("GNN102", "duplicate-name", "Two declarations of the same kind share a name, so one would hide the other."),
    _error("GNN103", "unknown-layer", "No layer, norm or activation of this name is in the catalogue."),
    _error("GNN104", "ambiguous-relation", "A bare relation name stands for several edge types here."),
    _error(
        "GNN105", "unreachable-rule", "Rules are match arms: earlier rules already decide everything this one matches."
    ),
    _error("GNN106", "no-match", "The pattern matches no type or relation of the schema."),
    _error(
        "GNN107",
        "wrong-place",
        "The layer exists, but cannot stand here: a convolution needs relations, a norm needs nodes.",
    ),
    _warning("GNN108", "unused-parameter", "The parameter changes nothing: no expression reads it."),
    _warning("GNN109", "unused-state", "The state is computed and never read."),
    _error("GNN110", "circle", "Files that import each other, or models that amend each other, have no beginning."),
    _error("GNN111", "import-path", "An import names a file of the project by a relative path; nothing else is read."),
    _error("GNN112", "plugin-import", "A plug-in that holds layers cannot be imported."),
    _error("GNN113", "plugin-entry", "What a plug-in offers as a layer does not describe one."),
    _error("GNN114", "plugin-name", "A layer of a plug-in may not have a name that is taken."),
    _error("GNN115", "missing-plugin", "A checkpoint uses layers of a plug-in that is not there."),
    _error("GNN116", "taken-name", "PyG keeps the structure of a graph under the name that an attribute is given."),
    _warning("GNN120", "unread-metapath", "The metapath is declared and no model reads it: only its name serves it."),
    _warning("GNN121", "hidden-name", "The name is also that of something else, and a reader takes one for the other."),
    # 2xx parameters and values
    _error("GNN201", "unknown-argument", "The layer does not take an argument of this name."),
    _error("GNN202", "wrong-type", "The value is of another type than the place accepts."),
    _error("GNN203", "missing-argument", "The layer cannot be built without this argument."),
    _error("GNN204", "out-of-range", "The value is outside the range that makes sense here."),
    _error("GNN205", "indivisible", "Division in a spec is exact between whole numbers; this one leaves a rest."),
    _error("GNN206", "missing-parameter", "The model has a parameter without a default, and no value was given."),
    _error("GNN207", "unknown-parameter", "A value was given for a parameter that the model does not have."),
    _error(
        "GNN208",
        "derived-argument",
        "The compiler derives this argument from the schema; writing it could only contradict.",
    ),
    _error("GNN209", "duplicate-argument", "The same argument is given twice."),
    _error("GNN210", "unreadable-parameters", "The parameter file is not a YAML mapping of names to values."),
    _error("GNN211", "unknown-setting", "The train block does not know this setting."),
    # 3xx layers on relations
    _error(
        "GNN301", "needs-one-type", "The layer treats source and target nodes alike, so it cannot serve two node types."
    ),
    _error(
        "GNN302",
        "heads-indivisible",
        "The heads share the width among them, so the width must be a multiple of their number.",
    ),
    _error(
        "GNN303",
        "self-loops-between-types",
        "A self-loop joins a node to itself; between two types there is no such edge.",
    ),
    _error("GNN304", "missing-attribute", "The layer reads an attribute that the relation or type does not have."),
    _error("GNN305", "unknown-input", "The layer's forward pass takes no input of this name."),
    _error("GNN306", "missing-input", "The layer's forward pass needs this input."),
    _warning("GNN310", "package-not-here", "The layer needs a package that is not installed on this machine."),
    _error(
        "GNN311", "no-degrees", "The layer scales by how many edges arrive at a node, which only data with edges tells."
    ),
    _error(
        "GNN312",
        "not-an-incidence",
        "A hypergraph layer reads which nodes lie in which hyperedges: a metapath there and back along one relation.",
    ),
    _warning("GNN320", "unused-loss", "A layer gives a loss for the training, and no penalty adds it."),
    _error("GNN321", "not-a-loss", "Only losses can be penalised: of a step, of a layer, or computed from values."),
    _error("GNN322", "unreached-penalty", "No prediction depends on what is penalised, so it is not computed."),
    _error(
        "GNN323",
        "sampled-against",
        "The layer reads edges backwards too; a sampled neighbourhood holds only those that arrive at its nodes.",
    ),
    _error(
        "GNN340", "objective-target", "Each objective learns of one kind of thing: a type, a relation or a metapath."
    ),
    _error("GNN341", "open-metapath", "Walks take a metapath again and again, so it must end where it starts."),
    _error(
        "GNN342", "lonely-walks", "Walks train vectors of their own; stages and predictions beside them share nothing."
    ),
    _error(
        "GNN343",
        "nothing-to-contrast",
        "Without messages, the nodes of a graph and of one with permuted features are the same rows in another order.",
    ),
    _error("GNN344", "sparse-gradients", "Most optimizers refuse sparse gradients, and `SparseAdam` all others."),
    # 4xx metapaths
    _error(
        "GNN345",
        "spread-elsewhere",
        "Labels spread between nodes of the type that has them: along a relation or metapath there and back.",
    ),
    _error(
        "GNN346",
        "nobody-is-known",
        "Only labels of training nodes may be shown to a model, and no mask says which those are.",
    ),
    _error("GNN347", "no-shares", "Spreading mixes shares of classes; numbers are no shares."),
    _error(
        "GNN348",
        "sampled-spread",
        "Labels spread over many hops of the whole graph; a sampled neighbourhood holds only the nearest.",
    ),
    _error("GNN349", "no-classes", "Labels are read as classes, each with a vector of its own; others are numbers."),
    _error(
        "GNN350",
        "signed-pair",
        "Signs are learned from two relations within one type: one holds positive edges, the other negative ones.",
    ),
    _error(
        "GNN351", "sampled-signs", "The loss of signs compares all edges, and no sampler draws two relations at once."
    ),
    _error(
        "GNN360",
        "sampled-walk",
        "The layer walks along whole metapaths, backwards too; a sampled neighbourhood holds only parts of them.",
    ),
    _error(
        "GNN370",
        "not-written",
        "`gnn build` writes a model in PyG's own classes; what it does not know how to call is not written.",
    ),
    _error(
        "GNN371",
        "not-exported",
        "An exported program is one graph of operators: no branch or size in it may hang on values of tensors.",
    ),
    _warning(
        "GNN372",
        "graph-break",
        "A model in one graph compiles as a whole; at a break, PyTorch goes back to Python and starts a new graph.",
    ),
    _error(
        "GNN373",
        "loop-not-written",
        "`gnn build --train` writes a loop in plain PyG: one prediction, and what `gnn train` does with it in a few lines.",
    ),
    _error("GNN401", "broken-metapath", "Each hop of a metapath must start at the type where the hop before it ends."),
    _error("GNN402", "metapath-budget", "The composed relation would have more edges than its budget allows."),
    # 5xx wiring, widths, liveness
    _error(
        "GNN501", "no-features", "The type has no features, so there is nothing to transform until it has an embedding."
    ),
    _error(
        "GNN502", "unequal-widths", "Values that meet here (sum, mean, residual, one joint layer) must be equally wide."
    ),
    _error("GNN503", "read-after-drop", "The type was dropped on purpose; nothing can read it afterwards."),
    _error(
        "GNN504",
        "unreached-prediction",
        "No message passing layer changes the predicted type: relations end elsewhere.",
    ),
    _error("GNN505", "no-prediction", "A model that predicts nothing has no output to train."),
    _error("GNN506", "unknown-width", "A width is `*` in the schema; it is known only once the spec meets data."),
    _warning("GNN507", "dead-relation", "No prediction depends on what this relation sends in this layer."),
    _error("GNN508", "no-count", "An embedding needs the number of nodes: from data, or `node T(count = N)`."),
    _error("GNN509", "label-as-feature", "A label may not also be the input of the model that predicts it."),
    _error("GNN510", "wrong-state-type", "A join needs the types of its states to be the same."),
    _error("GNN511", "not-a-label", "Only `class`, `multilabel` and `real` attributes can be predicted."),
    _error(
        "GNN512",
        "late-embedding",
        "An embedding reads the number of a node; a type that has a value already is past that.",
    ),
    _error(
        "GNN520",
        "leaking-metapath",
        "A metapath over the predicted relation hands the model the very edges that it is to find.",
    ),
    _error(
        "GNN521",
        "predicted-metapath",
        "The edges of a metapath follow from other relations; there is nothing to predict.",
    ),
    _error(
        "GNN522",
        "not-a-link",
        "`negatives` and `keep_target` are about edges that are predicted; other predictions have none.",
    ),
    _warning(
        "GNN523",
        "unreached-end",
        "No message passing layer changes one end of the predicted link, so the graph says nothing about it.",
    ),
    _error(
        "GNN530",
        "wrong-count",
        "A step of a `sequential` block reads or gives another number of values than its header names.",
    ),
    _error("GNN531", "wrong-kind", "A step reads a value of another kind: rows of nodes where an edge index belongs."),
    _error(
        "GNN532",
        "other-nodes",
        "Values of different nodes meet: pooling chose or merged nodes, and one of the values is from before.",
    ),
    _warning(
        "GNN533", "mixed-graphs", "Without `batch` the layer takes all graphs of a mini-batch together for one graph."
    ),
    _error(
        "GNN534",
        "not-one-type",
        "The sequential form is for schemas with one node type and one edge type.",
    ),
    _error("GNN535", "no-readout", "A label of whole graphs is read from nodes, and the prediction names no types."),
    _error("GNN536", "ignored-input", "PyG would take this input and silently ignore it."),
    _error(
        "GNN540",
        "norm-of-one-row",
        "A norm over the nodes of a type needs several: of one, PyTorch refuses to train or nothing is left.",
    ),
    _error("GNN541", "not-features", "Layers multiply decimal numbers; classes, masks, times and integers are none."),
    _error("GNN542", "no-vector", "A layer is told how many numbers there are, and the data holds another one."),
    _error("GNN556", "unreadable-attribute", "Labels and masks are no inputs; what is looked up are whole numbers."),
    # 6xx spec against data and stored files
    _error("GNN601", "missing-type", "The spec declares a type or relation that the data does not have."),
    _warning("GNN602", "extra-type", "The data has a type or relation that the spec does not mention; it is not used."),
    _error("GNN603", "missing-data-attribute", "The spec declares an attribute that the data does not have."),
    _error("GNN604", "width-mismatch", "Declared and actual width differ."),
    _error("GNN605", "dtype-mismatch", "The values are of another kind than declared."),
    _error("GNN606", "index-out-of-range", "An edge points to a node that does not exist."),
    _error("GNN607", "wrong-shape", "The tensor does not have the shape its role demands."),
    _error("GNN608", "label-out-of-range", "A label lies outside 0 … k-1 (or -1 for unlabelled)."),
    _error("GNN609", "inverse-disagrees", "A relation and its declared inverse do not hold the same edges."),
    _error("GNN610", "missing-count", "The number of nodes of a type cannot be told from the data."),
    _error("GNN611", "unreadable-data", "The data source cannot be read."),
    _error("GNN612", "unknown-source", "The data source is of no known kind."),
    _error("GNN613", "empty-split", "A split that training needs selects no labelled node."),
    _error("GNN614", "checkpoint-schema", "The checkpoint was made for another schema or model."),
    _error("GNN615", "unreadable-checkpoint", "The checkpoint cannot be read, or was not written by this program."),
    _error("GNN616", "unwritable", "The result cannot be written: no permission or no space left."),
    _error("GNN617", "missing-package", "The command, or a layer of the model, needs a package that is not installed."),
    _error(
        "GNN618", "missing-input-data", "The compiled model was called without a tensor that the spec's line reads."
    ),
    _warning("GNN619", "extra-attribute", "The data has an attribute that the spec does not mention; it is not used."),
    _error("GNN620", "not-finite", "The loss became NaN or infinite: no further step would mean anything."),
    _warning("GNN621", "split-overlap", "The same nodes stand in two splits, so the score would be too good."),
    _error(
        "GNN622", "not-finite-features", "A NaN or infinite value spreads along the edges to every prediction in reach."
    ),
    _error("GNN623", "count-mismatch", "The schema fixes the number of nodes of a type, and the data has another."),
    _error("GNN624", "no-time", "Temporal sampling asks what each seed may see; without a `time` nothing answers."),
    _error(
        "GNN625",
        "mirrored-relation",
        "Another relation holds the pairs that are to be predicted, so the model would be shown the answer.",
    ),
    _error("GNN630", "empty-graph", "A graph without nodes has no row in what a `sequential` block reads out."),
    _error("GNN631", "mixed-supervision", "Labels of whole graphs and of nodes or links come from different data."),
    _error("GNN640", "no-time-of-events", "What happened before an event is told by its time."),
    _error("GNN641", "no-event", "What is predicted is the next event, from all before it and none later."),
    _error("GNN642", "lonely-events", "A memory is given batches in the order of time, and nothing else is."),
    _error("GNN643", "no-message", "What events carry, and of which kind they are, is an attribute of the relation."),
    _error(
        "GNN644",
        "events-at-once",
        "Events of one batch know nothing of each other, and each may be compared with all nodes.",
    ),
    _error("GNN645", "events-apart", "Each event needs what all before it have left."),
    _error("GNN646", "splits-out-of-time", "A memory that has seen later events would be shown the answer."),
    _error("GNN647", "events-again", "An event may happen again, so targets of earlier ones are no known answers."),
    _error("GNN648", "returning-label", "A walk gives no node its own label; a message of a neighbour brings it back."),
    _warning("GNN656", "no-edges", "A relation without edges sends no message, so its layers learn nothing."),
    _note(
        "GNN657",
        "scattered-edges",
        "Loaders copy edges that are not contiguous in memory, and transforms of PyG refuse them.",
    ),
    _note(
        "GNN658",
        "parallel-edges",
        "The same pair is joined twice, with nothing to tell the edges apart: it counts twice.",
    ),
    _note("GNN659", "self-loops", "Nodes are joined to themselves; layers that add self-loops do it once more."),
    _warning("GNN660", "doubtful-direction", "All ids are nodes, but those of one end stop where the other type's do."),
    _warning(
        "GNN661", "self-inverse", "A relation that holds every edge both ways is its own inverse: messages run twice."
    ),
    _warning("GNN662", "isolated-type", "Most nodes of a type have no edge, so nothing is learned from or for them."),
    _warning(
        "GNN663", "unreached-target", "No message reaches nodes that are predicted: the graph does not help there."
    ),
    _note("GNN664", "constant-column", "A column that is the same in every row tells no two of them apart."),
    _warning("GNN665", "empty-mask", "A mask that selects nothing makes a split that nothing can be measured on."),
    _warning("GNN666", "unlabelled-split", "Rows of a split have no label, so they count for nothing."),
    _note("GNN667", "label-outside-splits", "Rows have a label and are in no split, so nobody learns from it."),
    _warning(
        "GNN668", "untaught-class", "A class that no training row has is never predicted, though other rows have it."
    ),
    _warning(
        "GNN669", "copies-across-splits", "Test rows that are copies of training rows measure memory, not learning."
    ),
    _warning("GNN670", "label-among-features", "A feature tells the label of every row: it may be the label itself."),
    _warning("GNN671", "time-against-split", "Training rows are later than those that are to be predicted from them."),
    _note("GNN672", "checks-left-out", "The time given for checking data was over before all was looked at."),
    _note("GNN673", "absent-class", "The schema declares a class that no row of the data has."),
    _error("GNN674", "needed-attribute", "A model reads an attribute that may be absent by the schema, and is."),
    _warning("GNN675", "undeclared", "The data holds something that a schema cannot declare, or not as it is."),
    _error("GNN676", "drift", "The data has changed since the schema was written, or the schema since."),
    _error("GNN677", "unknown-place", "An edge of a mesh has four neighbours, and the data tells of another one."),
    _error("GNN678", "other-cells", "Cells of a grid stand side by side if every graph has as many, and knows which."),
    _error(
        "GNN679", "no-graph-to-read", "A scorer that reads the graph hides what it is asked for, and needs the rest."
    ),
    _note("GNN680", "own-message", "A predicted node hears of itself alone: the graph does not help there."),
    _note("GNN681", "unread-schema", "What no model reads of a schema is checked in the data, and nothing else."),
    _warning(
        "GNN682", "tracked-data", "Data that requires a gradient is not trained, and may fail in the second step."
    ),
    _error("GNN685", "unequal-numbers", "A backend computes something else than plain PyG with the same weights."),
    _error("GNN686", "no-step", "Times are of steps on a whole graph, and the model has none."),
    # 7xx pedantic
    _warning("GNN701", "unseen-type", "The type lies further from the prediction than the model has layers."),
    _warning(
        "GNN702", "ignored-edge-attribute", "The layer could read an attribute of the relation, and is not given it."
    ),
    _warning("GNN703", "one-way-type", "No relation ends in the type, so deeper layers learn nothing new about it."),
    _warning("GNN704", "unused-type", "No model of the file reads the type."),
    _warning("GNN705", "unused-attribute", "No model of the file reads the attribute."),
    _warning("GNN706", "single-turn", "A repeat of one turn, or of none, repeats nothing."),
    _warning(
        "GNN707", "wasted-relations", "The rule serves relations on which no prediction depends beside useful ones."
    ),
    _warning("GNN708", "same-metapath", "The metapath says again what a relation or another metapath says."),
    _warning(
        "GNN709", "undeclared-inverse", "Two relations run both ways, and do not say whether they hold the same edges."
    ),
    _warning("GNN710", "unserved-relation", "No model of the file serves the relation, in either direction."),
    # 8xx names of other versions and frameworks
    _error("GNN801", "renamed-layer", "The layer has this name in another version or framework; here it has another."),
    _error(
        "GNN802", "renamed-argument", "The argument has this name in another version or framework; here it has another."
    ),
    # 9xx internal
    _error("GNN900", "internal", "graphdsl itself failed. This is a defect worth reporting."),
)

_BY_CODE = {entry.code: entry for entry in CODES}


def lookup(code: str) -> Code:
    """The registry entry of a code.

    >>> lookup("GNN101").name
    'unknown-name'
    """
    return _BY_CODE[code]


def find_code(name: str) -> Code | None:
    """The code that somebody means by a code, its digits or its kebab-case name, in capitals or not.

    >>> find_code("gnn101") == find_code("101") == find_code("Unknown-Name") == lookup("GNN101"), find_code("GNN9999")
    (True, None)
    """
    meant = name.strip().casefold().replace("_", "-")
    return next((entry for entry in CODES if meant in (entry.code.casefold(), entry.code[3:], entry.name)), None)
