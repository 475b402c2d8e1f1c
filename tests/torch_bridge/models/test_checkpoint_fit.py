"""Checkpoints of training code: what of them is loaded, what is left out, and what is refused."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)  # two on a busy machine wait for each other most of the time

from torch import nn  # noqa: E402

from innerwalk.torch_bridge.models.weights import load_weights  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402


def net(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 3))


WANTED = net(1).state_dict()
OTHER = net(2).state_dict()


def prefixed(prefix: str, state=WANTED) -> dict:
    return {prefix + name: value for name, value in state.items()}


def loaded(tmp_path, content, target=None):
    torch.save(content, tmp_path / "c.pth")
    target = target or net(3)
    found = load_weights(target, tmp_path / "c.pth")
    for name, value in target.state_dict().items():
        assert torch.equal(value, WANTED[name.replace("_orig_mod.", "").removeprefix("module.")]), name
    return found


def refused(tmp_path, content, target=None) -> str:
    torch.save(content, tmp_path / "c.pth")
    target = target or net(3)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    with pytest.raises(ModelError) as error:
        load_weights(target, tmp_path / "c.pth")
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "left_out"),
    [
        (prefixed("module."), ()),
        (prefixed("module._orig_mod.module.model."), ()),
        (prefixed("encoder."), ()),
        ({name.replace("0.", "0._orig_mod."): value for name, value in WANTED.items()}, ()),
        ({"state_dict": prefixed("model."), "epoch": 1, "optimizer_states": [{"state": {0: torch.ones(2)}}]}, ()),
        (
            {"state_dict": prefixed("model.") | {"criterion.weight": torch.ones(3), "step": 7}},
            ("step", "criterion.weight"),
        ),
        (WANTED | {"aux.weight": torch.ones(2)}, ("aux.weight",)),
        (WANTED | {"epoch": 4}, ("epoch",)),
        ({"state_dict": WANTED, "state_dict_ema": OTHER}, ("state_dict_ema",)),
        ({"model": {"state_dict": WANTED}}, ()),
        (prefixed("ema_model.") | prefixed("online_model.", OTHER) | {"initted": torch.tensor(True)}, None),
        (prefixed("module.") | {"n_averaged": torch.tensor(9)}, ("n_averaged",)),
        (WANTED | {"0.total_ops": torch.zeros(1)}, ("0.total_ops",)),
    ],
)
def test_checkpoints_of_training_code_load_and_say_what_was_left_out(tmp_path, content, left_out):
    found = loaded(tmp_path, content)
    if left_out is not None:
        assert found.left_out == left_out
    else:
        assert found.describe_left_out().startswith("10 of the file (online_model.0.weight, ")


def test_averaged_and_wrapped_networks_take_plain_files(tmp_path):
    averaged = torch.optim.swa_utils.AveragedModel(net(1))
    assert loaded(tmp_path, averaged.state_dict()).left_out == ("n_averaged",)
    compiled = nn.Module()
    compiled._orig_mod = net(3)  # the names of torch.compile
    loaded(tmp_path, WANTED, compiled)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ({name: value for name, value in WANTED.items() if name != "4.bias"}, "1 missing (4.bias)"),
        (
            {name.replace("4.", "fc."): value for name, value in WANTED.items()},
            "2 missing (4.weight, in the file perhaps fc.weight, 4.bias, in the file perhaps fc.bias); "
            "2 that the model lacks (fc.weight, fc.bias)",
        ),
        (WANTED | {"4.bias": torch.ones(9)}, "1 of another shape (4.bias (9,) instead of (3,))"),
        (WANTED | {"4.bias": torch.ones(3, dtype=torch.int8)}, "1 of another type (4.bias int8 instead of float32)"),
        (WANTED | {"4.bias": torch.ones(3, dtype=torch.complex64)}, "4.bias complex64 instead of float32"),
        (WANTED | {"6.weight": torch.ones(3), "6.bias": torch.ones(3)}, "2 that the model lacks (6.weight, 6.bias)"),
        (prefixed("model.") | {"model.5.weight": torch.ones(3)}, "1 that the model lacks (5.weight)"),
        (prefixed("student.") | prefixed("teacher.", OTHER), "1 parts beside it that fit as well (teacher)"),
        ({"state_dict": [1, 2]}, "no state_dict in it, but state_dict"),
        ({"epoch": 3}, "no state_dict in it, but epoch"),
    ],
)
def test_checkpoints_of_other_networks_are_refused(tmp_path, content, line):
    assert line in refused(tmp_path, content)


def test_a_cut_file_and_a_pickle_are_refused(tmp_path):
    torch.save(WANTED, tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:700])
    with pytest.raises(ModelError, match="not a checkpoint, or cut off"):
        load_weights(net(3), tmp_path / "cut.pth")
    assert "pickle runs code from the file" in refused(tmp_path, {"state_dict": WANTED, "model": net(1)})


def test_a_large_checkpoint_is_searched_in_little_time(tmp_path):
    """A linear layer's names end the names of every layer of a checkpoint: only the likely prefixes are tried."""
    content = {f"block{k}.weight": torch.ones(2, 2) for k in range(5000)}
    content |= {"head.weight": torch.ones(1, 2), "head.bias": torch.zeros(1)}
    torch.save(content, tmp_path / "c.pth")
    target = nn.Linear(2, 1)
    assert len(load_weights(target, tmp_path / "c.pth").left_out) == 5000
    assert target.weight.tolist() == [[1, 1]]


def test_a_state_in_many_places_or_in_itself_counts_once(tmp_path):
    content: dict = dict(WANTED)
    for number in range(300):
        content[f"again{number}"] = content  # 300³ places
    loaded(tmp_path, content)
    assert loaded(tmp_path, {f"same{number}": WANTED for number in range(50)}).left_out == ()


@pytest.mark.parametrize("name", ["." * 100_000, "a" * 100_000, ".".join("a" * 65)])
def test_names_that_no_parameter_has_are_refused_at_once(tmp_path, name):
    line = refused(tmp_path, {**WANTED, name: torch.zeros(1)})
    assert f"a name of {len(name):,} characters" in line and "no parameter has such a name" in line


def test_any_number_of_states_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("innerwalk.torch_bridge.models.checkpoint_fit.MAX_STATES", 5)
    states = {f"s{number}": {"0.weight": torch.zeros(1)} for number in range(6)}
    assert "more than 5 objects with tensors" in refused(tmp_path, states)


@pytest.mark.parametrize(
    "odd",
    [
        WANTED["4.weight"].to_sparse(),
        torch.nested.nested_tensor([torch.zeros(2), torch.zeros(1)], layout=torch.jagged),
        WANTED["4.weight"].to("meta"),
    ],
    ids=["sparse", "nested", "meta"],
)
def test_tensors_without_all_their_numbers_are_none(tmp_path, odd):
    assert "1 missing (4.weight)" in refused(tmp_path, {**WANTED, "4.weight": odd})
    assert loaded(tmp_path, {**WANTED, "odd": odd}).left_out == ("odd",)


def test_lazy_modules_take_the_shape_of_the_file_but_no_bomb(tmp_path):
    state = {"0.weight": torch.arange(6.0).reshape(3, 2), "0.bias": torch.ones(3)}
    torch.save(state, tmp_path / "c.pth")
    load_weights(lazy := nn.Sequential(nn.LazyLinear(3)), tmp_path / "c.pth")
    assert lazy[0].weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    torch.save({**state, "0.weight": torch.zeros(1).expand(1 << 44, 1 << 4)}, tmp_path / "c.pth")
    with pytest.raises(ModelError, match="instead of one that its numbers fill"):
        load_weights(nn.Sequential(nn.LazyLinear(3)), tmp_path / "c.pth")
