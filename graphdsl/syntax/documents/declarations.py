"""A document whose form is right, spelled in `.gnn`: the text, and where each part of it came from."""

from graphdsl.syntax.documents.places import Spelled
from graphdsl.syntax.documents.spelling import Speller, quote
from graphdsl.syntax.documents.tree import Node
from graphdsl.text import Diagnostic, SourceText


class _Declarations(Speller):
    """One method per declaration, member and statement."""

    def document(self, node: Node) -> None:
        version = node.get("gnn")
        if version is not None and version.value is not None:
            self.out.put("gnn", node.key("gnn"))
            self.out.put(str(version.value), version)
        for item in node.pairs["declarations"][1].items:
            self.declaration(item)

    def declaration(self, node: Node) -> None:
        if "import" in node.pairs:
            self.begin("import", node)
            path = node.pairs["import"][1]
            self.out.put(quote(str(path.value)), path)
        elif "train" in node.pairs:
            self.train(node)
        elif "model" in node.pairs:
            self.model(node)
        else:
            self.schema(node)

    def schema(self, node: Node) -> None:
        self.begin("schema", node)
        self.name(node.pairs["schema"][1])
        self.parameters(node)
        self.open(node.key("schema"))
        members = node.get("members")
        for item in members.items if members else ():
            self.member(item)
        self.close(node)

    def member(self, node: Node) -> None:
        optional = node.get("optional")
        if optional is not None and optional.value is True:
            self.begin("optional", node)
        if "node" in node.pairs:
            self.node(node)
        elif "edge" in node.pairs:
            self.begin("edge", node)
            self.relation(node.pairs["edge"][1])
            self.option(node, "reverse", "reverse", self.name)
            self.attributes(node.get("attributes"))
        elif "metapath" in node.pairs:
            self.metapath(node)
        else:
            self.begin("graph", node)
            self.attributes(node.pairs["graph"][1])

    def node(self, node: Node) -> None:
        self.begin("node", node)
        self.name(node.pairs["node"][1])
        count = node.get("count")
        if count is not None and not (count.kind == "scalar" and count.value is None):
            self.words("( count =", node.key("count"))
            self.value(count)
            self.out.put(")", node.key("count"))
        self.attributes(node.get("attributes"))

    def metapath(self, node: Node) -> None:
        self.begin("metapath", node)
        self.name(node.pairs["metapath"][1])
        given = {key: item for key in ("kind", "sample", "seed") if (item := node.get(key)) is not None}
        given = {key: item for key, item in given.items() if not (item.kind == "scalar" and item.value is None)}
        for number, (key, item) in enumerate(given.items()):
            self.out.put(", " if number else "(", node.key(key))
            if key != "kind":
                self.out.put(f"{key} = ", node.key(key))
            self.value(item)
        if given:
            self.out.put(")", node.key(next(reversed(given))))
        self.out.put("=", node.key("path"))
        path = node.pairs["path"][1]
        if path.kind == "scalar":
            self.text(path, "path")
        else:
            self.path(path)
        self.option(node, "budget", "budget", self.value)

    def path(self, node: Node) -> None:
        for number, item in enumerate(node.items):
            back = item.get("backward")
            if number % 2 == 0:
                self.name(back or item)
            else:
                self.out.put("-[" if back is None else "<-[", item)
                self.name(back or item)
                self.out.put("]->" if back is None else "]-", item)

    # --- models ---

    def model(self, node: Node) -> None:
        self.begin("model", node)
        self.name(node.pairs["model"][1])
        self.parameters(node)
        if "amends" in node.pairs:
            self.option(node, "amends", "amends", self.name)
        self.option(node, "schema", "on", self.name)
        self.open(node.key("model"))
        body = node.get("changes" if "amends" in node.pairs else "statements")
        for item in body.items if body else ():
            self.statement(item)
        self.close(node)

    def statement(self, node: Node) -> None:
        kinds = {
            "nodes": self.stage,
            "edges": self.stage,
            "join": self.stage,
            "repeat": self.repeat,
            "drop": self.drop,
            "predict": self.predict,
            "penalty": self.penalty,
            "learn": self.learn,
            "sequential": self.sequential,
            "parameter": self.override,
            "replace": self.replace,
        }
        next(spell for key, spell in kinds.items() if key in node.pairs)(node)

    def stage(self, node: Node) -> None:
        self.out.new_line()
        name = node.get("name")
        if name is not None and name.value is not None:
            self.out.put(str(name.value), name)
            self.out.put("=", node.key("name"))
        kind = next(key for key in ("nodes", "edges", "join") if key in node.pairs)
        if kind == "join":
            self.layer(node.pairs["join"][1])
        else:
            self.out.put(kind, node.key(kind))
            of = node.get("of")
            if of is not None and of.value is not None:
                self.out.put("(", node.key("of"))
                self.out.put(str(of.value), of)
                self.out.put(")", node.key("of"))
            self.rules(node.pairs[kind][1])
            self.option(node, "combine", "combine", self.layer)
        pipe = node.get("pipe")
        for item in pipe.items if pipe else ():
            self.out.put("|", Node("scalar", item.start, item.start + 1))
            if "rules" in item.pairs:
                self.rules(item.pairs["rules"][1])
            else:
                self.layer(item)

    def rules(self, node: Node) -> None:
        self.out.put("{", Node("scalar", node.start, node.start + 1))
        for rule in node.items:
            several = rule.get("patterns")
            if several is not None and several.kind == "list":
                self.listed(several.items, self.pattern, rule.key("patterns"))
            else:
                self.pattern(rule.pairs["pattern"][1])
            self.out.put(":", rule.key("layer"))
            self.flag(rule, "share", "share")
            self.layer(rule.pairs["layer"][1])
        self.close(node)

    def repeat(self, node: Node) -> None:
        self.begin("repeat", node)
        self.value(node.pairs["repeat"][1])
        self.flag(node, "share", "share")
        self.open(node.key("repeat"))
        if "steps" in node.pairs:
            self.steps(node.pairs["steps"][1])
        else:
            for item in node.pairs["statements"][1].items:
                self.statement(item)
        self.close(node)

    def drop(self, node: Node) -> None:
        self.begin("drop", node)
        self.listed(node.pairs["drop"][1].items, self.name, node.key("drop"))

    def predict(self, node: Node) -> None:
        self.begin("predict", node)
        self.target(node.pairs["predict"][1])
        self.option(node, "head", ":", self.layer)
        for key in node.pairs:
            if key in ("weight", "negatives"):
                self.option(node, key, key, self.value)
            elif key == "keep_target":
                self.flag(node, key, key)

    def penalty(self, node: Node) -> None:
        self.begin("penalty", node)
        self.text(node.pairs["penalty"][1], "penalty")
        self.option(node, "weight", "weight", self.value)

    def learn(self, node: Node) -> None:
        self.begin("learn", node)
        target = node.pairs["learn"][1]
        if target.kind == "scalar":
            self.text(target, "learned")
        else:
            self.relation(target)
        self.option(node, "by", ":", self.layer)
        self.option(node, "weight", "weight", self.value)

    def target(self, node: Node) -> None:
        if node.kind == "scalar":
            self.text(node, "prediction")
        elif "type" in node.pairs:
            self.name(node.pairs["type"][1])
            self.option(node, "attribute", ".", self.name)
            sources = node.get("from")
            if sources is not None and sources.value != "" and (sources.items or sources.value == "*"):
                self.out.put("from", node.key("from"))
                self.listed(sources.items or [sources], self.name_or_any, node.key("from"))
        else:
            self.relation(node)
            self.option(node, "attribute", ".", self.name)
            self.option(node, "from", "from", self.name)

    def sequential(self, node: Node) -> None:
        self.begin("sequential", node)
        self.slots(node.pairs["sequential"][1])
        self.open(node.key("sequential"))
        self.steps(node.pairs["steps"][1])
        self.close(node)

    def steps(self, node: Node) -> None:
        for item in node.items:
            if "repeat" in item.pairs:
                self.repeat(item)
            elif "step" in item.pairs:
                self.layer(item.pairs["step"][1])
                self.out.put(":", item.key("inputs"))
                self.slots(item.pairs["inputs"][1])
                self.out.put("->", item.key("outputs"))
                self.slots(item.pairs["outputs"][1])
            else:
                self.layer(item)

    def slots(self, node: Node) -> None:
        if node.kind == "scalar":
            self.text(node, "names")
        else:
            self.listed(node.items, lambda item: self.out.put(str(item.value or "none"), item), node)

    def override(self, node: Node) -> None:
        name = node.pairs["parameter"][1]
        self.out.put(str(name.value), name)
        self.out.put("=", name)
        self.value(node.pairs["value"][1])

    def replace(self, node: Node) -> None:
        self.begin("replace", node)
        self.statement(node.pairs["replace"][1])

    # --- train ---

    def train(self, node: Node) -> None:
        self.begin("train", node)
        self.name(node.pairs["train"][1])
        self.open(node.key("train"))
        settings = node.get("settings")
        for key, value in settings.pairs.values() if settings else ():
            self.out.put(str(key.value), key)
            self.out.put(":", key)
            self.value(value)
        self.close(node)


def spell(source: SourceText, root: Node) -> tuple[Spelled, list[Diagnostic]]:
    """The text of a document in `.gnn`, and what is wrong with the texts in it."""
    speller = _Declarations(source)
    speller.document(root)
    return speller.out, speller.found
