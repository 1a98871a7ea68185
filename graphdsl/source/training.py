"""A plain training loop behind a written program: `python program.py data.pt`."""

from collections.abc import Iterator
from typing import Final

from graphdsl.model import Training
from graphdsl.plan import Head, Plan, shown_labels
from graphdsl.source.attributes import argument, attribute_inputs
from graphdsl.source.block import Block
from graphdsl.source.context import Context, place
from graphdsl.source.expressions import Expression, call, each, literal, quote
from graphdsl.source.naming import class_name
from graphdsl.text import Diagnostic, report

_SCORES: Final = {"class": "accuracy", "multilabel": "f1_micro", "real": "rmse"}
"""What is shown of the validation nodes, and picks the best epoch, by kind of label."""
_LOWER: Final = ("loss", "rmse")

_LOSS: Final = {
    "class": ("F.cross_entropy(out[mask], y[mask].flatten())",),
    "multilabel": (
        "known = y[mask] >= 0",
        "F.binary_cross_entropy_with_logits(out[mask][known], y[mask][known].to(out.dtype))",
    ),
    "real": (
        "wanted = y[mask].reshape(out[mask].shape)",
        "known = ~wanted.isnan()",
        "F.mse_loss(out[mask][known], wanted[known])",
    ),
}
_SCORE: Final = {
    "class": ("(out[mask].argmax(dim=-1) == y[mask].flatten()).float().mean().item()",),
    "multilabel": (
        "guess, truth = out[mask] > 0, y[mask] > 0",
        "known = y[mask] >= 0",
        "right = (guess & truth & known).sum()",
        "2 * right.item() / max(1, ((guess & known).sum() + (truth & known).sum()).item())",
    ),
    "real": ("loss_of(out, y, mask).sqrt().item()",),
}
_LABELLED: Final = {
    "class": "y.flatten() >= 0",
    "multilabel": "(y >= 0).any(dim=-1)",
    "real": "~y.isnan().reshape(y.size(0), -1).all(dim=-1)",
}


def untrained(plan: Plan, training: Training) -> Iterator[Diagnostic]:
    """What the written loop cannot train (GNN373)."""
    others = [head for head in plan.heads if not isinstance(head, Head)]
    where = plan.heads[0].span if plan.heads else plan.stages[0].span
    helps = ("`gnn build` without `--train` writes the model; `gnn train` trains it",)
    if others or len(plan.heads) != 1 or plan.sequence is not None:
        message = "a written loop trains one label of nodes in a model of node maps and relation maps"
        span = others[0].span if others else where
        yield report("GNN373", f"{message}, not `{plan.model}`", span, helps=helps)
        return
    spread = _head(plan).spread
    if shown_labels(plan):
        message = "a written loop learns all training labels, and `MaskLabel` is shown a share of them"
        yield report("GNN373", message, where, helps=helps)
    if spread is not None and spread.alone:
        yield report("GNN373", f"`{spread.module.name}` learns nothing: there is nothing to train", where, helps=helps)
    settings = {
        "batch_size": training.batch_size is not None,
        "scheduler": training.scheduler is not None,
        "class_weights": training.class_weights,
        "precision": training.precision != "32-true",
    }
    for name, given in settings.items():
        if given:
            message = f"a written loop trains on the whole graph, plainly: it does not know `{name}`"
            yield report("GNN373", message, training.span or where, helps=helps)
    known = ("", "train_loss", "val_loss", f"val_{_SCORES[_head(plan).kind]}")
    if training.monitor not in known:
        message = f"a written loop does not compute `{training.monitor}`; it knows " + ", ".join(known[1:])
        yield report("GNN373", message, training.span or where, helps=helps)


def _head(plan: Plan) -> Head:
    head = plan.heads[0]
    assert isinstance(head, Head), "other predictions are refused before"
    return head


def write_training(context: Context, training: Training) -> str:
    """Functions `loss_of`, `score_of` and `main`, and the call of `main`."""
    context.imports.functional = True
    plan, head = context.plan, _head(context.plan)
    model = class_name(plan.model, context.imports.names)
    score = training.monitor.removeprefix("val_") or _SCORES[head.kind]
    parts = [_function("loss_of", "Tensor", "The loss of some rows.", _LOSS[head.kind])]
    if score in _SCORES.values():
        parts.append(_function("score_of", "float", f"{score} of some rows.", _SCORE[head.kind]))
    block = Block()
    block.write("def main(path: str, weights: str) -> None:")
    said = f'"""Train as {place(training.span)} says.' if training.span else '"""Train.'
    block.write(said, 4)
    block.write("")
    block.write("Args:", 4)
    block.write("path: a file with a `HeteroData`, written by `torch.save`.", 8)
    block.write("weights: where the weights of the best epoch go.", 8)
    block.write('"""', 4)
    inner = Block(4)
    _write_data(head, context, inner)
    inner.write(f"torch.manual_seed({training.seed})")
    inner.assign("model", call(model))
    arguments = {name: literal(value) for name, value in training.optimizer.arguments.items()}
    inner.assign("optimizer", call(f"torch.optim.{training.optimizer.name}", "model.parameters()", **arguments))
    inner.write("best, kept, since = None, model.state_dict(), 0")
    inner.write(f"for epoch in range(1, {training.epochs + 1}):")
    step = Block(8)
    _write_epoch(training, score, context, step)
    inner.extend(step.lines)
    inner.write("model.load_state_dict(kept)")
    inner.write("torch.save(kept, weights)")
    inner.write('if "test" in rows:')
    inner.write("model.eval()", 4)
    inner.write("with torch.no_grad():", 4)
    test = "score_of" if score in _SCORES.values() else "loss_of"
    shown = f'{test}(model(**inputs), y, rows["test"])'
    inner.write(f'print(f"test {score} {{{shown}:.4f}}")'.replace('rows["test"]', "rows['test']"), 8)
    block.extend(inner.lines)
    parts.append(block.text().rstrip("\n"))
    weights = 'sys.argv[2] if len(sys.argv) > 2 else "weights.pt"'
    parts.append(f'if __name__ == "__main__":\n    main(sys.argv[1], {weights})')
    return "\n\n\n".join(parts)


def _function(name: str, result: str, said: str, lines: tuple[str, ...]) -> str:
    *before, last = lines
    body = [f'"""{said[:1].upper()}{said[1:]}"""', *before, f"return {last}"]
    return "\n".join(
        [f"def {name}(out: Tensor, y: Tensor, mask: Tensor) -> {result}:", *(f"    {line}" for line in body)]
    )


def _write_data(head: Head, context: Context, block: Block) -> None:
    """Inputs of the model, labels, and the rows of each split."""
    block.write("data = torch.load(path, weights_only=False)  # only files that you trust")
    given = {"x_dict": _table("x")}
    given |= {argument(name): _table(name) for name in attribute_inputs(context)}
    block.write("inputs = {")
    for name, value in given.items():
        block.statement(value, f'"{name}": ', ",", deeper=4)
    block.write('"edge_index_dict": data.edge_index_dict,', 4)
    block.write("}")
    block.write(f"store = data[{quote(head.type)}]")
    block.write(f"y = store[{quote(head.attribute)}]")
    block.write(f"labelled = {_LABELLED[head.kind]}")
    block.write("rows = {")
    block.write('name: store[f"{name}_mask"] & labelled', 4)
    block.write('for name in ("train", "val", "test")', 4)
    block.write('if f"{name}_mask" in store', 4)
    block.write("}")


def _table(name: str) -> Expression:
    key = quote(name)
    return each("store._key", f"store[{key}]", "store", f"data.stores if {key} in store")


def _write_epoch(training: Training, score: str, context: Context, block: Block) -> None:
    block.write("model.train()")
    block.write("optimizer.zero_grad()")
    block.write('loss = loss_of(model(**inputs), y, rows["train"])')
    block.write("(loss + model.penalty()).backward()" if context.plan.penalties else "loss.backward()")
    if training.clip is not None:
        block.write(f"torch.nn.utils.clip_grad_norm_(model.parameters(), {training.clip!r})")
    block.write("optimizer.step()")
    if score == "train_loss":
        block.write("score = loss.item()")
    else:
        value = {"loss": 'loss_of(out, y, rows["val"]).item()'}.get(score, 'score_of(out, y, rows["val"])')
        block.write("model.eval()")
        block.write("with torch.no_grad():")
        block.write("out = model(**inputs)", 4)
        block.write(f'score = {value} if "val" in rows else float("nan")')
    block.write(f'print(f"epoch {{epoch}}: loss {{loss.item():.6f}}, {score} {{score:.4f}}")')
    sign = "<" if score in (*_LOWER, "train_loss") else ">"
    always = "" if score == "train_loss" else ' or "val" not in rows'
    block.write(f"if best is None{always} or score {sign} best:")
    block.write("best, since = score, 0", 4)
    block.write("kept = {name: value.clone() for name, value in model.state_dict().items()}", 4)
    block.write("else:")
    block.write("since += 1", 4)
    if training.patience is not None:
        block.write(f"if since >= {training.patience}:")
        block.write("break", 4)


__all__ = ["untrained", "write_training"]
