"""Activations, weights, average and occlusion against plain torch; parameters and their forms."""

from typing import Literal

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from dataclasses import dataclass  # noqa: E402

from innerwalk.tests.support import SUPPORT, bridges, method_runs  # noqa: E402
from innerwalk.torch_bridge import client, data  # noqa: E402
from innerwalk.torch_bridge.method_support.method import parameter  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, Method, help_text, parameter_form, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SUPPORT))
        networks = {name: bridges.model(name, mean=[0.5] * 3, std=[0.25] * 3) for name in ("Names", "Two", "Vector")}
        with bridges.serving_here(networks, {"objects": "concepts:object"}) as server:
            yield server


@pytest.fixture
def bridge(server):
    with bridges.joined(server) as bridge:
        yield bridge


def network(server, name):
    return server.calls["record"].__self__.networks[name]


def run_job(bridge, name, method, **request):
    steps, all_maps = bridges.followed(bridge, bridge.start(name, method, **request))
    assert steps[-1]["state"] == "done", steps[-1]
    return steps, all_maps


def test_activations_are_those_of_the_recording(bridge):
    known = bridge.record("Names", [client.noise(3)])
    _, all_maps = run_job(bridge, "Names", "activations", run=known.run)
    assert all_maps.keys() == known.all_maps.keys()
    assert all(np.array_equal(maps.texels, known.all_maps[key].texels) for key, maps in all_maps.items())


def test_weights_are_the_kernels(bridge, server):
    _, all_maps = run_job(bridge, "Names", "weights")
    kernel = network(server, "Names").model.a.weight.detach().numpy()
    maps = all_maps["a", "weights"]
    assert maps.channels == len(kernel)
    shown = maps.texels[..., :3] if maps.colour else maps.data
    assert shown.shape[:3] == (4, 3, 3)


def test_average_is_the_mean_over_the_chosen_pictures(bridge, server):
    steps, all_maps = run_job(bridge, "Names", "average", data="objects", parameters={"count": 11, "seed": 4})
    live, objects = network(server, "Names"), data.open_data("concepts:object")
    inputs = [live._picture_arguments(objects.picture(index)) for index in data.random_indices(objects, 11, 4)]
    assert len(inputs) == 11
    with torch.no_grad():
        values = [live.model.a(values).numpy()[0].astype(np.float64) for (values,) in inputs]
        answers = [live.model(values)["logits"].numpy()[0].astype(np.float64) for (values,) in inputs]
    assert np.allclose(all_maps["a", "average"].data, np.mean(values, 0), atol=1e-6)
    assert np.allclose(all_maps["b", "average"].data[:, 0, 0], np.mean(answers, 0), atol=1e-6)
    assert not np.allclose(np.mean(values, 0), values[0], atol=1e-3)
    assert [step["share"] for step in steps] == sorted(step["share"] for step in steps)


def test_average_over_some_of_the_pictures(bridge):
    first = run_job(bridge, "Names", "average", data="objects", parameters={"count": 5, "seed": 1})[1]
    other = run_job(bridge, "Names", "average", data="objects", parameters={"count": 5, "seed": 2})[1]
    assert not np.allclose(first["a", "average"].data, other["a", "average"].data)


def test_average_of_a_network_with_two_inputs(bridge, server):
    _, all_maps = run_job(bridge, "Two", "average", data="objects", parameters={"count": 2, "seed": 0})
    live, objects = network(server, "Two"), data.open_data("concepts:object")
    with torch.no_grad():
        values = [
            live.model.left(live._picture_arguments(objects.picture(k))[0]).numpy()[0]
            for k in data.random_indices(objects, 2, 0)
        ]
    assert np.allclose(all_maps["left", "average"].data, np.mean(values, 0), atol=1e-6)


def test_occlusion_is_the_drop_of_the_mean(bridge, server):
    parameters = {"size": 0.25, "stride": 1.0, "fill": "value", "value": 0.5}
    steps, all_maps = run_job(bridge, "Names", "occlusion", parameters=parameters, inputs=[client.noise(6)])
    live = network(server, "Names")
    picture, wanted = live.read(["noise:6"])[0].values, np.zeros((4, 16, 16))
    with torch.no_grad():
        before = live.model.a(picture)[0].mean((1, 2)).numpy()
        for row in range(0, 16, 4):
            for column in range(0, 16, 4):
                hidden = picture.clone()
                hidden[..., row : row + 4, column : column + 4] = 0.5
                fall = before - live.model.a(hidden)[0].mean((1, 2)).numpy()
                wanted[:, row : row + 4, column : column + 4] = fall[:, None, None]
    maps = all_maps["a", "occlusion"]
    assert maps.frame == "input"
    assert np.allclose(maps.data, wanted, atol=1e-5)
    assert np.abs(wanted).max() > 1e-3
    assert steps[-1]["told"] == "place 16 of 16"


def test_occlusion_needs_a_picture(bridge):
    steps, _ = bridges.followed(bridge, bridge.start("Vector", "occlusion", inputs=[client.noise(1)]))
    assert steps[-1]["state"] == "failed" and "this network's first input is not one" in steps[-1]["error"]


def test_occlusion_of_a_network_that_takes_a_list():

    class Listed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Conv2d(3, 2, 3)

        def forward(self, images):
            return self.a(images[0][None])

    model, picture = Listed().eval(), torch.ones(3, 8, 8)
    maps = method_runs.run_method(method_runs.make_context(model, [picture], ["a"]), "occlusion", size=1.0)["a"]
    with torch.no_grad():
        fall = (model([picture]) - model([torch.zeros(3, 8, 8)]))[0].mean((1, 2)).numpy()
    assert np.allclose(maps.data, fall[:, None, None] + np.zeros((2, 8, 8)), atol=1e-6)


# Forms


@dataclass(frozen=True)
class Wishes:
    count: int = parameter(3, "how many", 1, 10)
    weight: float = parameter(0.5, "how much", 0.0, 1.0, "m")
    any_size: float = parameter(2.0, "without bounds")
    mirrored: bool = parameter(False, "whether")
    word: str = parameter("a", "which")
    way: Literal["up", "down"] = parameter("up", "where")


METHOD = Method("wish", "Wish", "Wishes.", lambda work, parameters: iter(()), Wishes)


def test_a_form_describes_every_parameter():
    fields = parameter_form(METHOD)
    assert [(field["name"], field["kind"], field["default"]) for field in fields] == [
        ("count", "int", 3),
        ("weight", "float", 0.5),
        ("any_size", "float", 2.0),
        ("mirrored", "bool", False),
        ("word", "str", "a"),
        ("way", "choice", "up"),
    ]
    assert (fields[1]["least"], fields[1]["most"], fields[1]["unit"], fields[1]["text"]) == (0.0, 1.0, "m", "how much")
    assert fields[5]["choices"] == ["up", "down"]
    assert "weight       how much (0.5 m, 0 to 1)" in help_text(METHOD) and "up | down" in help_text(METHOD)


def test_parameters_are_parsed():
    assert parse_parameters(METHOD, {}) == Wishes()
    found = parse_parameters(METHOD, {"count": 10, "weight": 1, "mirrored": True, "word": "", "way": "down"})
    assert found == Wishes(10, 1.0, 2.0, True, "", "down")
    assert type(found.weight) is float
    assert parse_parameters(METHODS["activations"], {}) is None


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"count": 11}, "wish: count is 11; it must be 1 to 10"),
        ({"count": 2.0}, "a whole number is needed"),
        ({"count": True}, "a whole number is needed"),
        ({"weight": float("nan")}, "a finite number is needed"),
        ({"weight": float("inf")}, "a finite number is needed"),
        ({"weight": -0.1}, "it must be 0.0 to 1.0"),
        ({"any_size": 10**400}, "a finite number is needed"),
        ({"mirrored": 1}, "true or false is needed"),
        ({"word": 3}, "a text is needed"),
        ({"way": "left"}, "it must be one of up, down"),
        ({"way": ["up"]}, "it must be one of up, down"),
        ({"way": "dwon"}, "wish: way is 'dwon'; did you mean down?"),
        ([1], "an object such as"),
    ],
)
def test_wrong_parameters_are_errors(parameters, line):
    with pytest.raises(InputError, match=line):
        parse_parameters(METHOD, parameters)


def test_an_unknown_parameter():
    with pytest.raises(UnknownName, match="no parameter of wish 'cuont'; did you mean count"):
        parse_parameters(METHOD, {"cuont": 1})
    with pytest.raises(UnknownName, match="no parameter of activations 'seed'"):
        parse_parameters(METHODS["activations"], {"seed": 1})


def test_every_method_is_described():
    for name, method in METHODS.items():
        assert name == method.name and method.title and method.text.endswith(".")
        assert all(field["text"] for field in parameter_form(method))
