"""The part that all written training loops have: epochs, steps, the best epoch, the test."""

from dataclasses import dataclass

from graphdsl.model import Training
from graphdsl.source.block import Block
from graphdsl.source.context import Context, place
from graphdsl.source.expressions import call, flat, literal
from graphdsl.source.loop_tasks import LOWER, loop_task

_START = """if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(f"usage: python {sys.argv[0]} DATA.pt [WEIGHTS.pt]")
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "weights.pt")"""


@dataclass(frozen=True, slots=True)
class Loop:
    """What loops differ in.

    Attributes:
        functions: texts of functions before `main`.
        path: what the first argument of the program is.
        setup: lines of `main` up to the model.
        inner: lines behind the model and its optimizer: what a step asks for.
        parts: the dictionary that says which splits there are.
        batches: what an epoch goes over, batch by batch; nothing where it is one step.
        outputs: an expression of outputs and labels of a training step (of `batch`, where there are batches), or of its
            loss, where there are no labels.
        measured: an expression of outputs and labels of a split, which stands where `{split}` does; empty where there are
            no labels, and nothing but the loss is known.
        counted: what is as long as a batch weighs in the mean of an epoch.
    """

    functions: tuple[str, ...]
    path: str
    setup: Block
    inner: tuple[str, ...]
    parts: str
    batches: str
    outputs: str
    measured: str
    counted: str = "wanted"


def monitored(training: Training, context: Context) -> str:
    """The score that picks the best epoch, without its split; `train_loss` as it is; nothing where the last one is kept."""
    main = main_score(context)
    asked = training.monitor or (f"val_{main}" if main else "")
    return asked if asked == "train_loss" else asked.removeprefix("val_")


def main_score(context: Context) -> str:
    """The main score of the prediction, as in `gnn train`; nothing without labels."""
    return next(iter(loop_task(context.plan.heads[0]).scores), "")


def known_scores(context: Context) -> list[str]:
    """All that a loop can be told to monitor."""
    scores = loop_task(context.plan.heads[0]).scores
    return ["train_loss", *(["val_loss"] if scores else []), *(f"val_{name}" for name in scores)]


def write_loop(loop: Loop, context: Context, training: Training) -> str:
    """Functions, `main`, and its call."""
    context.imports.functional = context.imports.tensors = True
    task, score = loop_task(context.plan.heads[0]), monitored(training, context)
    weighted = ", weight: Tensor" if training.class_weights else ""
    parts = [*loop.functions]
    if task.loss:
        parts.append(_function("loss_of", "Tensor", "The loss of some rows.", _weighed(task.loss, training), weighted))
    if score in task.scores:
        found = task.scores[score]
        context.helpers |= {*found.helpers}
        parts.append(_function("score_of", "float", f"{score} of some rows.", found.lines, ""))
    parts.append(_main(loop, context, training, score))
    parts.append(_START)
    return "\n\n\n".join(parts)


def _weighed(lines: tuple[str, ...], training: Training) -> tuple[str, ...]:
    if not training.class_weights:
        return lines
    return tuple(line.replace("cross_entropy(out, y)", "cross_entropy(out, y, weight)") for line in lines)


def _function(name: str, result: str, said: str, lines: tuple[str, ...], more: str) -> str:
    *before, last = lines
    body = [f'"""{said[:1].upper()}{said[1:]}"""', *before, f"return {last}"]
    return "\n".join([f"def {name}(out: Tensor, y: Tensor{more}) -> {result}:", *(f"    {line}" for line in body)])


def _main(loop: Loop, context: Context, training: Training, score: str) -> str:
    block = Block()
    block.write("def main(path: str, weights: str) -> None:")
    block.write(f'"""Train as {place(training.span)} says.' if training.span else '"""Train.', 4)
    block.write("")
    block.write("Args:", 4)
    block.write(f"path: {loop.path}", 8)
    block.write(f"weights: where the weights of the {'best' if score else 'last'} epoch go.", 8)
    block.write('"""', 4)
    block.extend(loop.setup.lines)
    inner = Block(4)
    inner.write(f"torch.manual_seed({training.seed})")
    inner.assign("model", call(context.named))
    _write_optimizer(inner, training, score, context)
    for line in loop.inner:
        inner.write(line)
    if score:
        inner.write("best, kept, since = None, model.state_dict(), 0")
    inner.write(f"for epoch in range(1, {training.epochs + 1}):")
    step = Block(8)
    _write_epoch(loop, training, score, context, step)
    inner.extend(step.lines)
    if score:
        inner.write("model.load_state_dict(kept)")
    inner.write(f"torch.save({'kept' if score else 'model.state_dict()'}, weights)")
    if loop.measured:
        inner.write(f'if "test" in {loop.parts}:')
        inner.write("model.eval()", 4)
        inner.write("with torch.no_grad():", 4)
        inner.write(f"out, wanted = {loop.measured.format(split='test')}", 8)
        test = score if score in loop_task(context.plan.heads[0]).scores else "loss"
        inner.write(f'print(f"test {test} {{{_measure(test, training)}:.4f}}")', 4)
    block.extend(inner.lines)
    return block.text().rstrip("\n")


def _measure(score: str, training: Training) -> str:
    if score != "loss":
        return "score_of(out, wanted)"
    return f"{_loss(training)}.item()"


def _loss(training: Training) -> str:
    return "loss_of(out, wanted, weight)" if training.class_weights else "loss_of(out, wanted)"


def _write_optimizer(block: Block, training: Training, score: str, context: Context) -> None:
    arguments = {name: literal(value) for name, value in training.optimizer.arguments.items()}
    block.assign("optimizer", call(f"torch.optim.{training.optimizer.name}", "model.parameters()", **arguments))
    scheduler = training.scheduler
    if scheduler is not None:
        given = {name: literal(value) for name, value in scheduler.arguments.items()}
        if scheduler.name == "ReduceLROnPlateau":
            given.setdefault("mode", '"min"' if _falls(score) else '"max"')
        path = f"{scheduler.scheduler_module}.{scheduler.name}"
        name = path if path.startswith("torch.") else context.imports.use(path)
        block.assign("scheduler", call(name, "optimizer", **given))


def _falls(score: str) -> bool:
    return score.rpartition("_")[2] in LOWER


def _write_step(loop: Loop, training: Training, context: Context, block: Block) -> None:
    head = context.plan.heads[0]
    scale = "" if head.weight == 1 else f"{flat(repr(head.weight))} * "
    block.write("optimizer.zero_grad()")
    if loop_task(head).loss:
        block.write(f"out, wanted = {loop.outputs}")
        block.write(f"loss = {scale}{_loss(training)}")
    else:
        block.write(f"loss = {scale}{loop.outputs}")
    block.write("(loss + model.penalty()).backward()" if context.plan.penalties else "loss.backward()")
    if training.clip is not None:
        block.write(f"torch.nn.utils.clip_grad_norm_(model.parameters(), {training.clip!r})")
    block.write("optimizer.step()")


def _write_epoch(loop: Loop, training: Training, score: str, context: Context, block: Block) -> None:
    block.write("model.train()")
    if loop.batches:
        block.write("total, count = 0.0, 0")
        block.write(f"for batch in {loop.batches}:")
        inner = Block(block.indent + 4)
        _write_step(loop, training, context, inner)
        inner.write(f"total, count = total + loss.item() * len({loop.counted}), count + len({loop.counted})")
        block.extend(inner.lines)
        block.write("total /= count")
    else:
        _write_step(loop, training, context, block)
        block.write("total = loss.item()")
    if score == "train_loss":
        block.write("score = total")
    elif loop.measured:
        block.write('score = float("nan")')
        block.write(f'if "val" in {loop.parts}:')
        block.write("model.eval()", 4)
        block.write("with torch.no_grad():", 4)
        block.write(f"out, wanted = {loop.measured.format(split='val')}", 8)
        block.write(f"score = {_measure(score, training)}", 4)
    if training.scheduler is not None:
        watched = ("score" if score else "total") if training.scheduler.name == "ReduceLROnPlateau" else ""
        block.write(f"scheduler.step({watched})")
    if not score:
        block.write('print(f"epoch {epoch}: loss {total:.6f}")')
        return
    block.write(f'print(f"epoch {{epoch}}: loss {{total:.6f}}, {score} {{score:.4f}}")')
    always = "" if score == "train_loss" else f' or "val" not in {loop.parts}'
    block.write(f"if best is None{always} or score {'<' if _falls(score) else '>'} best:")
    block.write("best, since = score, 0", 4)
    block.write("kept = {name: value.clone() for name, value in model.state_dict().items()}", 4)
    block.write("else:")
    block.write("since += 1", 4)
    if training.patience is not None:
        block.write(f"if since >= {training.patience}:")
        block.write("break", 4)


__all__ = ["Loop", "known_scores", "main_score", "monitored", "write_loop"]
