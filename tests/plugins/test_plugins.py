"""Layers of other packages: an installed one, modules that the user names, and everything that can be wrong with them."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch_geometric.data import HeteroData

import graphdsl
from graphdsl import SpecError
from graphdsl.catalog import (
    Entry,
    Parameter,
    Provider,
    entries,
    find,
    names,
    offered,
    parts,
    provider_of,
    register,
    rules,
    seek,
)
from graphdsl.plan.plugins import needed_plugins
from graphdsl.tooling.cli import main

PACKAGE = Path(__file__).parent / "sample_package"
SPEC = """
schema shop {
  node user { x: float[5], y: class[2], train_mask: mask, val_mask: mask, test_mask: mask }
  node item { x: float[3] }
  edge user -[buys]-> item  reverse bought_by { price: float }
}
model m on shop {
  edges {
    bought_by: GateConv(4, steepness = 2.0, edge_attr = price)
    buys:      GateConv(4)
  } | relu
  edges { bought_by: GateConv(4, edge_attr = price) }
  predict user.y
}
train m { epochs: 2 }
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the sample package is installed, as pip does it."""
    folder = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    told = ["--no-deps", "--no-build-isolation", "--no-compile", "--target", str(folder), str(PACKAGE)]
    subprocess.run([*pip, *told], check=True, timeout=300)
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(site)
    return site


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, on the path of imports, with a spec."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    (tmp_path / "shop.gnn").write_text(SPEC, encoding="utf-8")
    yield tmp_path
    for name in set(sys.modules) - known:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def shop() -> HeteroData:
    torch.manual_seed(0)
    data = HeteroData()
    data["user"].x, data["user"].y = torch.randn(12, 5), torch.arange(12) % 2
    for place, name in enumerate(("train_mask", "val_mask", "test_mask")):
        data["user"][name] = torch.arange(12) % 3 == place
    data["item"].x = torch.randn(7, 3)
    data["user", "buys", "item"].edge_index = torch.stack([torch.arange(30) % 12, torch.arange(30) % 7])
    data["user", "buys", "item"].price = torch.rand(30)
    return data


def offer(folder: Path, package: str, **layers: str) -> None:
    """A distribution with entry points, as pip leaves it."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = "\n".join(f"{name} = {value}" for name, value in layers.items())
    (info / "entry_points.txt").write_text(f"[graphdsl.layers]\n{lines}\n", encoding="utf-8")


def entry(name: str = "OwnConv", **fields) -> Entry:
    given = {"parameters": (parts.OUT_CHANNELS,), "derived": {"in_channels": "pair"}, "width": rules.out_channels}
    return Entry(name, "conv", "own.OwnConv", "A layer.", scope="relation", **{**given, **fields})


def codes(text: str = SPEC, **given) -> list[tuple[str, str]]:
    with pytest.raises(SpecError) as error:
        graphdsl.loads(text, **given)
    return [(item.code, item.message) for item in error.value.diagnostics]


# --- an installed package ---


def test_a_spec_uses_an_installed_package(installed: Path) -> None:
    assert offered() == ("GateConv",)
    assert find("GateConv") is None, "nothing is imported before a spec asks"
    spec = graphdsl.loads(SPEC)
    assert needed_plugins(spec.plan()) == {"GateConv": Provider(package="sample-layers", version="1.2")}
    assert "GateConv" in names("conv")
    data = shop()
    model = spec.compile(data=data)
    inputs = {"price_dict": {("user", "buys", "item"): data["user", "buys", "item"].price}}
    out = model(data.x_dict, data.edge_index_dict, **inputs)
    module = model.stages["edges1"].conv.convs["<item___bought_by___user>"]
    assert (type(module).__module__, module.steepness, module.gate.in_channels) == ("sample_layers.conv", 2.0, 1)
    assert out.shape == (12, 2)
    out.sum().backward()
    assert all(item.grad is not None for name, item in model.named_parameters() if "heads" in name)


def test_checking_does_not_import_torch_and_looks_at_packages_only_for_unknown_names(site: Path, folder: Path) -> None:
    (folder / "plain.gnn").write_text(
        SPEC.replace("GateConv(4, steepness = 2.0, ", "GATConv(4, ").replace("GateConv", "GATConv")
    )
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import importlib.metadata as metadata\n"
        "from graphdsl.tooling.cli import main\n"
        "looked, groups = metadata.entry_points, []\n"
        "metadata.entry_points = lambda **given: (groups.append(given['group']), looked(**given))[1]\n"
        "assert main(['check', 'plain.gnn']) == 0 and not groups\n"
        "assert main(['check', 'shop.gnn']) == 0\n"
        "assert 'sample_layers.entries' in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, timeout=120)


def test_check_train_and_evaluate(installed: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(shop().to_dict(), "graph.pt")
    assert main(["check", "shop.gnn"]) == 0
    assert main(["train", "shop.gnn", "--data", "graph.pt", "--out", "run"]) == 0
    assert main(["evaluate", "run/best.ckpt"]) == 0
    assert main(["layers", "GateConv"]) == 0
    assert "GateConv  (sample_layers.conv.GateConv)" in capsys.readouterr().out


def test_layers_lists_what_packages_offer(installed: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer(folder, "broken", LostConv="no_such_module:ENTRY")
    assert main(["layers", "GateConv"]) == 0
    assert main(["layers"]) == 0
    shown = capsys.readouterr()
    assert "GateConv" in shown.out
    assert "Mean of the neighbours, each behind a gate" in shown.out
    assert "error[GNN112]: `LostConv` of `broken` 1.0 cannot be imported: no module named `no_such_module`" in shown.err
    assert main(["layers", "LostConv"]) == 1
    assert main(["layers", "GCNConv"]) == 0


def test_a_checkpoint_remembers_what_it_needs(
    installed: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(shop().to_dict(), "graph.pt")
    assert main(["train", "shop.gnn", "--data", "graph.pt", "--out", "run"]) == 0
    from graphdsl.catalog import forget

    forget()
    monkeypatch.setattr(sys, "path", [item for item in sys.path if item != str(installed)])
    capsys.readouterr()
    assert main(["evaluate", "run/best.ckpt", "--format", "json"]) == 1
    assert '"GNN115"' in capsys.readouterr().out
    assert main(["evaluate", "run/best.ckpt"]) == 1
    said = capsys.readouterr().err
    assert "error[GNN115]: `run/best.ckpt` uses the layer `GateConv` of `sample-layers` 1.2, which is not there" in said
    assert "pip install sample-layers==1.2" in said


def test_a_name_that_nothing_offers(installed: Path) -> None:
    with pytest.raises(SpecError) as error:
        graphdsl.loads(SPEC.replace("GateConv", "GatedConv"))
    assert error.value.diagnostics[0].code == "GNN103"
    assert error.value.diagnostics[0].helps == ("did you mean `GateConv`?",)


def test_a_broken_package_only_breaks_specs_that_use_it(installed: Path, folder: Path) -> None:
    (folder / "broken.py").write_text("raise RuntimeError('half\\nway')\n")
    offer(
        folder,
        "broken",
        BrokenConv="broken:ENTRY",
        LostConv="no_such_module:ENTRY",
        NoConv="json:loads",
        OddConv="odd:ENTRY",
    )
    (folder / "odd.py").write_text("from sample_layers.entries import GATE_CONV as ENTRY\n")
    graphdsl.loads(SPEC)
    said = {name: seek(name) for name in ("BrokenConv", "LostConv", "NoConv", "OddConv")}
    assert [(item.code, item.message) for item in said.values()] == [
        ("GNN112", "`BrokenConv` of `broken` 1.0 cannot be imported: RuntimeError: half"),
        ("GNN112", "`LostConv` of `broken` 1.0 cannot be imported: no module named `no_such_module`"),
        ("GNN113", "`broken` 1.0 holds a `function`, not an entry"),
        ("GNN113", "`broken` 1.0 offers `OddConv`, and its entry is called `GateConv`"),
    ]
    assert codes(SPEC.replace("GateConv", "BrokenConv"))[0] == (said["BrokenConv"].code, said["BrokenConv"].message)


def test_two_packages_with_one_name(installed: Path, folder: Path) -> None:
    offer(folder, "other", GateConv="sample_layers.entries:GATE_CONV", GCNConv="no_such_module:ENTRY")
    message = "`other` 1.0 and `sample-layers` 1.2 both offer a layer `GateConv`"
    assert codes()[0] == ("GNN114", message)
    assert seek("GCNConv").path == "torch_geometric.nn.GCNConv", "our own names are not looked up"


# --- modules that the user names ---


def test_a_module_by_name(folder: Path, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("conv", "entries"):
        text = (site / "sample_layers" / f"{name}.py").read_text(encoding="utf-8")
        (folder / f"my_{name}.py").write_text(text.replace("sample_layers.conv", "my_conv"), encoding="utf-8")
    torch.save(shop().to_dict(), "graph.pt")
    assert main(["check", "shop.gnn"]) == 1
    assert main(["check", "--plugin", "my_entries", "shop.gnn"]) == 0
    assert main(["train", "shop.gnn", "--plugin", "my_entries", "--data", "graph.pt", "--out", "run"]) == 0
    from graphdsl.catalog import forget

    forget()
    capsys.readouterr()
    assert main(["evaluate", "run/best.ckpt"]) == 1
    said = capsys.readouterr().err
    assert "uses the layer `GateConv` of `my_entries`, which is not there" in said
    assert "name it: `--plugin my_entries`" in said
    assert main(["evaluate", "run/best.ckpt", "--plugin", "my_entries"]) == 0
    for command in (
        ["build", "shop.gnn"],
        ["build", "--report", "shop.gnn"],
        ["pull", "graph.pt", "--check", "shop.gnn"],
    ):
        forget()
        assert main([*command, "--plugin", "my_entries"]) == 0
    assert "from my_conv import GateConv" in capsys.readouterr().out


def test_entries_and_modules_from_python(installed: Path) -> None:
    from sample_layers import entries as module

    renamed = replace(module.GATE_CONV, name="Gate2Conv")
    for plugins in (["sample_layers.entries"], [module], [module.GATE_CONV]):
        assert graphdsl.loads(SPEC, plugins=plugins).plan().stages
    assert provider_of("GateConv") == Provider(module="sample_layers.conv")
    assert graphdsl.loads(SPEC.replace("GateConv", "Gate2Conv"), plugins=[renamed]).compile()


def test_an_entry_is_replaced_by_a_newer_one_with_the_same_class() -> None:
    assert register(entry()) == []
    assert register(entry(parameters=(parts.OUT_CHANNELS, Parameter("more", "int", 1)))) == []
    assert find("OwnConv").parameter("more") is not None
    assert sum(item.name == "OwnConv" for item in entries("conv")) == 1


def module(**held) -> ModuleType:
    made = ModuleType("own")
    vars(made).update(held)
    return made


WRONG = [
    (module(), "GNN113", "the plug-in `own` has no `ENTRIES`"),
    (module(ENTRIES=3), "GNN113", "the plug-in `own` has no `ENTRIES`"),
    (module(ENTRIES=(entry(), "GCNConv")), "GNN113", "the plug-in `own` holds a `str`, not an entry"),
    (module(ENTRIES=(entry(), entry())), "GNN114", "the plug-in `own` holds two layers `OwnConv`"),
    (entry("GCNConv"), "GNN114", "`GCNConv` of the plug-in `GCNConv` has the name of a layer of graphdsl"),
    (entry("dot"), "GNN114", "`dot` of the plug-in `dot` has the name of a layer of graphdsl"),
    (entry("residual"), "GNN114", "`residual` of the plug-in `residual` has the name of a word of the language"),
    (entry("a b"), "GNN113", "`a b` of the plug-in `a b`: its name must be one word, as a spec writes it"),
    (entry(derived={"x": "weight"}), "GNN113", "`OwnConv` of the plug-in `OwnConv`: what is derived must be one of "),
    (
        entry(parameters=["a"]),
        "GNN113",
        "`OwnConv` of the plug-in `OwnConv`: its parameters must be a tuple of `Parameter`",
    ),
    (entry(inputs=("edge_attr",)), "GNN113", "its inputs must be a tuple of `ForwardInput`"),
    (entry(requires=("numpy",)), "GNN113", "`requires` may name "),
    (entry(width=8), "GNN113", "its width must be a rule"),
    (replace(entry(), kind="layer"), "GNN113", "its kind must be one of "),
    (replace(entry(), scope="node"), "GNN113", "a `conv` has the scope"),
    (replace(entry(), path="OwnConv"), "GNN113", "its path must be `MODULE.CLASS`, found `OwnConv`"),
    (torch.nn.Linear, "GNN113", "the plug-in `Linear` is a `type`"),
    ("no_such_module", "GNN112", "the plug-in `no_such_module` cannot be imported: no module named `no_such_module`"),
]


@pytest.mark.parametrize(("plugin", "code", "message"), WRONG, ids=[item[2][:60] for item in WRONG])
def test_mistakes_of_plugins_are_findings(plugin, code: str, message: str) -> None:
    ((found, said),) = codes(plugins=[plugin])
    assert found == code
    assert message in said
    assert find("OwnConv") is None, "of a plug-in with a mistake nothing is registered"
    assert [item.code for item in graphdsl.check("no.gnn", plugins=[plugin])] == [code]


def test_two_plugins_with_one_name() -> None:
    assert register(entry()) == []
    (problem,) = register(module(ENTRIES=(replace(entry(), path="other.OwnConv"),)))
    assert (problem.code, problem.message) == ("GNN114", "the plug-in `own` and `own` both hold a layer `OwnConv`")


def test_rules_and_classes_that_fail(folder: Path) -> None:
    spec = SPEC.replace("GateConv(4, steepness = 2.0, edge_attr = price)", "OwnConv(4)")
    spec = spec.replace("GateConv(4, edge_attr = price)", "OwnConv(4)").replace("GateConv", "OwnConv")

    def fails(*_):
        raise KeyError("heads")

    found = codes(spec, plugins=[entry(width=fails)])
    assert set(found) == {("GNN113", "a rule of the plug-in's layer `OwnConv` fails: KeyError: 'heads'")}
    with pytest.raises(SpecError) as error:
        graphdsl.loads(spec, plugins=[entry()]).compile()
    assert error.value.diagnostics[0].code == "GNN112"
    (folder / "own.py").write_text("class OwnConv:\n    def __init__(self, channels): pass\n")
    with pytest.raises(SpecError) as error:
        graphdsl.loads(spec, plugins=[entry()]).compile()
    found = error.value.diagnostics[0]
    assert found.code == "GNN113"
    assert found.message.startswith(
        "`own.OwnConv`, the class of the plug-in's layer `OwnConv`, cannot be constructed: TypeError: "
    )
    assert found.primary is not None


def test_a_program_does_not_know_how_to_tell_a_layer_of_graphs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own")
    derived = {"in_channels": "widths", "metadata": "metadata"}
    shared = entry("WithinGraphs", derived=derived, batch=True)
    module.ENTRIES = (replace(shared, scope="joint"),)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own", module)
    text = SPEC.replace("predict user.y", "predict graph.y from user")
    text = text.replace("  edge user", "  graph { y: class[2] }\n  edge user", 1)
    text = re.sub(
        r"edges \{.*?GateConv\(4, edge_attr = price\) \}", "edges { *: WithinGraphs(4) }", text, flags=re.DOTALL
    )
    spec = graphdsl.loads(text, plugins=["own"])
    with pytest.raises(SpecError) as error:
        spec.to_python()
    assert [item.code for item in error.value.diagnostics] == ["GNN370"]
    assert "which nodes make a graph" in error.value.diagnostics[0].message
