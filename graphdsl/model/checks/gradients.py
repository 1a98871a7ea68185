"""Sparse gradients: few optimizers take them, and the one that is made for them takes no others."""

from graphdsl.model.training import Training
from graphdsl.syntax import nodes as n
from graphdsl.text import Diagnostic, Span, report

_TAKE_BOTH = ("SGD", "Adagrad")
_SPARSE_ONLY = "SparseAdam"


def refuse_gradients(sparse: bool, training: Training, place: Span | None, also: Span | None) -> list[Diagnostic]:
    """What training settings cannot do with the gradients of a model.

    Args:
        sparse: whether its objective has `sparse = true`; all other gradients are dense.
        training: the settings.
        place: where the optimizer is chosen, or the train block.
        also: the objective.
    """
    name, labels = training.optimizer.name, ((also, "`sparse = true`"),) if also is not None and sparse else ()
    if not sparse:
        if name != _SPARSE_ONLY:
            return []
        message = f"`{name}` takes sparse gradients only, and the model has dense ones"
        helps = ("use `Adam`, or give the objective `sparse = true`",)
    elif name not in (*_TAKE_BOTH, _SPARSE_ONLY):
        message, helps = f"`{name}` refuses sparse gradients", ("use `SparseAdam`, or leave out `sparse = true`",)
    elif training.optimizer.arguments.get("weight_decay"):
        message, helps = "`weight_decay` is not for sparse gradients", ("leave it out, or leave out `sparse = true`",)
    elif training.clip is not None:
        message, helps = "`clip` is not for sparse gradients", ("leave it out, or leave out `sparse = true`",)
    else:
        return []
    return [report("GNN344", message, place, also=labels, helps=helps)]


def sparse_gradients(declared: n.TrainDecl, training: Training, model: n.ModelDecl) -> list[Diagnostic]:
    """An optimizer that refuses the gradients of the model, as far as they are known without parameters."""
    learned = [item for item in model.body if isinstance(item, n.LearnStatement)]
    said = [
        argument
        for item in learned
        for argument in item.objective.arguments
        if argument.name is not None and argument.name.text == "sparse"
    ]
    if any(not isinstance(argument.value, n.Literal) for argument in said):
        return []
    sparse = next((item for item in said if isinstance(item.value, n.Literal) and item.value.value is True), None)
    place = next((item.span for item in declared.settings if item.name.text == "optimizer"), declared.model.span)
    return refuse_gradients(sparse is not None, training, place, sparse.span if sparse else None)
