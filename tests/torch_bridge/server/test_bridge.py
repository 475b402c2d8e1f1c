"""The bridge with a well-behaved client: the same values as in one process, streamed, never mixed up."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support import SUPPORT, bridges  # noqa: E402
from innerwalk.torch_bridge import client, concepts, recording  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, QUESTIONS  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, ModelError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.server.config import shipped_network  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, record_from  # noqa: E402

NETWORKS = ("Gated", "Forks", "Detects", "Names", "Two", "Odd", "Fails", "Grey")


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SUPPORT))
        networks = {name: bridges.model(name) for name in NETWORKS}
        networks |= {"object": {"model": "object"}, "four": bridges.model("Grey", arguments={"channels": 4})}
        with bridges.serving_here(networks, {"objects": "concepts:object"}) as server:
            yield server


@pytest.fixture
def bridge(server):
    with bridges.joined(server) as bridge:
        yield bridge


@pytest.fixture
def own(server):
    """The module of the networks."""
    import live_models

    yield live_models
    live_models.GATE.set()
    live_models.FAILS[0] = ""


def same(first: recording.Maps, other: recording.Maps) -> bool:
    assert (first.layer, first.method, first.channels, first.labels, first.frame) == (
        other.layer, other.method, other.channels, other.labels, other.frame,
    )  # fmt: skip
    return np.array_equal(first.texels, other.texels, equal_nan=True) and np.array_equal(first.peak, other.peak)


def assert_same(result: recording.Recording, known: recording.Recording) -> None:
    assert result.network == known.network
    assert result.all_maps.keys() == known.all_maps.keys()
    assert all(same(maps, known.all_maps[key]) for key, maps in result.all_maps.items())
    assert np.array_equal(result.picture, known.picture)
    assert result.prediction.kind == known.prediction.kind
    assert (result.prediction.top, result.prediction.boxes) == (known.prediction.top, known.prediction.boxes)
    assert result.prediction.numbers == known.prediction.numbers
    assert result.input_name == known.input_name


def in_process(name: str, *inputs, **fields) -> recording.Recording:
    spec = bridges.model(name, **fields)
    return record_from(RecordSpec(spec["model"], size=(16, 16), inputs=inputs, layers=("panels",), **fields))


@pytest.mark.parametrize("name", ["Gated", "Forks", "Detects", "Names", "Odd"])
def test_it_records_what_one_process_records(bridge, name):
    known = in_process(name, "noise:5")
    for _ in range(3):  # before its graph is known, then streamed
        assert_same(bridge.record(name, [client.noise(5)]), known)


def test_the_shipped_network_looks_at_its_own_picture(bridge):
    known = record_from(RecordSpec(**shipped_network("object"), layers=("panels",)))
    assert_same(bridge.record("object"), known)
    assert known.prediction.top[0][1] == "ring"
    assert bridge.record("object").input_name == f"object {concepts.DEFAULT_INDEX}.png"


def test_several_inputs_each_go_to_their_own_argument(bridge):
    known = in_process("Two", "noise:3", "noise:4")
    assert_same(bridge.record("Two", [client.noise(3), client.noise(4)]), known)
    one_given = in_process("Two", "noise:3", "noise:1")
    assert_same(bridge.record("Two", [client.noise(3)]), one_given)


def test_some_layers_alone(bridge):
    result = bridge.record("Gated", [client.noise(1)], layers=["b"])
    assert list(result.all_maps) == [("b", "activations")]
    known = in_process("Gated", "noise:1")
    assert same(result.maps("b"), known.maps("b"))
    assert bridge.record("Gated", layers=[]).all_maps == {}
    with pytest.raises(UnknownName, match="no layer 'bb'; did you mean b"):
        bridge.record("Gated", layers=["bb"])


@pytest.mark.parametrize("layers", ["panels", ["a", "b", "c"]])
def test_maps_arrive_while_the_network_runs(bridge, own, layers):
    bridge.record("Gated")
    own.GATE.clear()
    arrived = []

    def hear(maps):
        arrived.append((maps.layer, own.GATE.is_set()))
        own.GATE.set()  # the last layer waits for this, so the first maps are here before the forward is over

    result = bridge.record("Gated", [client.noise(2)], layers=layers, on_maps=hear)
    assert arrived == [("a", False), ("b", True), ("c", True)]
    assert_same(result, in_process("Gated", "noise:2"))


def test_the_graph_travels_once(server, bridge):
    frames = []
    request = {"network": "Names", "inputs": [{"kind": "noise", "seed": 1}]}
    for _ in range(2):
        known = frames[-1]["graph"] if frames else ""
        replies = [values for values, _ in bridge.call("record", request | {"graph": known})]
        frames.append(replies[-1])
    assert "network" in frames[0]["recording"]
    assert "network" not in frames[1]["recording"]
    assert frames[0]["graph"] == frames[1]["graph"]
    assert bridge.describe()["networks"][NETWORKS.index("Names")]["graph"] == frames[0]["graph"]


def test_a_changed_graph_is_sent_again(bridge, tmp_path):
    for name, value in (("bright", 255), ("dark", 0)):
        Image.fromarray(np.full((16, 16, 3), value, np.uint8)).save(tmp_path / f"{name}.png")
    known = {name: in_process("Forks", str(tmp_path / f"{name}.png"), mean=(0.5,) * 3) for name in ("bright", "dark")}
    panels = {
        name: [layer.id for layer in result.network.layers if layer.role == "panel"] for name, result in known.items()
    }
    assert panels == {"bright": ["a", "yes"], "dark": ["a", "no", "no@2"]}
    with bridges.serving_here({"forks": bridges.model("Forks", mean=[0.5] * 3)}) as server:
        with bridges.joined(server) as asker:
            for name in ("bright", "dark", "dark", "bright", "bright"):
                assert_same(asker.record("forks", [client.file(tmp_path / f"{name}.png")]), known[name])


def test_numbers_that_are_none_arrive(bridge):
    result = bridge.record("Odd", [client.noise(5)], layers=[":add", "b"])
    maps = result.maps(":add")
    assert np.isinf(maps.data[1, 0, 0])
    assert np.isnan(maps.data[2, :2]).all()
    assert np.isfinite(maps.peak).all()
    assert result.maps("b").nonfinite > 0


# Inputs of every kind


def picture_file(path: Path, size=(40, 30), mode="RGB") -> np.ndarray:
    bands = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], *bands)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.npy"])
def test_a_file_is_seen_as_the_command_line_sees_it(bridge, tmp_path, name):
    path = tmp_path / name
    if path.suffix == ".npy":
        np.save(path, np.random.default_rng(2).normal(size=(3, 16, 16)).astype(np.float32))
    else:
        picture_file(path)
    assert_same(bridge.record("Names", [client.file(path)]), in_process("Names", str(path)))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("network", ["Names", "Grey", "four"])
def test_pixels_of_any_number_of_channels(bridge, tmp_path, mode, network):
    pixels = picture_file(tmp_path / "p.png", mode=mode)
    result = bridge.record(network, [client.pixels(pixels, "p.png")])
    if network == "four":
        spec = RecordSpec("live_models:Grey", {"channels": 4}, size=(16, 16), inputs=(str(tmp_path / "p.png"),))
        assert_same(result, record_from(RecordSpec(**{**vars(spec), "layers": ("panels",)})))
    else:
        assert_same(result, in_process(network, str(tmp_path / "p.png")))


def test_a_picture_of_a_data_set(bridge):
    result = bridge.record("object", [client.item("objects", 3)])
    assert result.input_name == "objects 3"
    assert np.array_equal(result.picture, concepts.picture(3))


def test_a_picture_of_8000_pixels(bridge):
    pixels = np.zeros((8000, 8000, 3), np.uint8)
    pixels[:4000, :, 0] = 200
    result = bridge.record("Names", [client.pixels(pixels, "large")])
    assert result.picture.shape == (16, 16, 3)
    assert (result.picture[:7, :, 0] == 200).all() and (result.picture[9:] == 0).all()


@pytest.mark.parametrize(
    ("input_values", "error", "line"),
    [
        ({"kind": "wish"}, UnknownName, "no kind of input 'wish'"),
        ({"kind": ["noise"]}, InputError, "kind is"),
        ({"kind": "noise", "seed": -1}, InputError, "seed is -1; a whole number from 0"),
        ({"kind": "noise", "seed": True}, InputError, "seed is True"),
        ({"kind": "noise"}, InputError, "seed is None"),
        ({"kind": "data", "set": "birds", "index": 0}, UnknownName, "no data set 'birds'; "),
        ({"kind": "data", "set": "objects", "index": 2000}, InputError, "0 to 1999"),
        ({"kind": "channel", "layer": "a", "method": "activations", "channel": 0}, UnknownName, "no kind of input"),
        ({"kind": "film", "film": "walk", "at": 0}, UnknownName, "no video 'walk'"),
        ({"kind": "upload", "name": "x.png"}, InputError, "no array"),
        ({"kind": "pixels", "name": "x.png", "array": "9"}, InputError, "no array '9'"),
        ("noise:1", InputError, "inputs: a list such as"),
    ],
)
def test_a_wrong_input_is_one_line(bridge, input_values, error, line):
    bridge.record("Names")
    with pytest.raises(error, match=line):
        list(bridge.call("record", {"network": "Names", "inputs": [input_values]}))
    assert bridge.record("Names").all_maps


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.zeros((4, 4, 2), np.uint8), "(H, W, 4) uint8 is needed"),
        (np.zeros((4, 4), np.float32), "uint8 is needed"),
        (np.zeros((0, 4, 3), np.uint8), "uint8 is needed"),
        (np.zeros(7, np.uint8), "uint8 is needed"),
    ],
)
def test_pixels_that_are_none(bridge, array, line):
    with pytest.raises(InputError, match=line.replace("(", r"\(").replace(")", r"\)")):
        bridge.record("Names", [client.pixels(array, "odd")])


def test_a_damaged_file_is_named(bridge, tmp_path):
    picture_file(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()[:300]
    with pytest.raises(InputError, match=r"picture a.png: damaged or cut off"):
        bridge.record(
            "Names", [client.BridgeInput({"kind": "upload", "name": "a.png"}, np.frombuffer(content, np.uint8))]
        )
    with pytest.raises(InputError, match=r"b.png: not a picture"):
        bridge.record("Names", [client.BridgeInput({"kind": "upload", "name": "b.png"}, np.zeros(40, np.uint8))])
    with pytest.raises(InputError, match="no such file|can't be read"):
        client.file(tmp_path / "none.png")


@pytest.mark.parametrize(
    "name", ["../../etc/x.png", "/etc/passwd", "C:\\x\\..\\y.png", "a\0b.png", "..", "", "\ud800.png"]
)
def test_no_file_is_made_of_a_name(bridge, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "PNG")
    result = bridge.record(
        "Names", [client.BridgeInput({"kind": "upload", "name": name}, np.frombuffer(file.getvalue(), np.uint8))]
    )
    assert result.input_name.isprintable() and "/" not in result.input_name and "\\" not in result.input_name
    assert list(tmp_path.iterdir()) == []


# What goes wrong in a network


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ("raises", "seven is not prime"),
        ("leaves", "SystemExit"),
        ("device full", "CUDA out of memory"),
        ("host full", "not enough memory"),
        ("no memory", "MemoryError"),
        ("connection", "the model's own"),
        ("time", "the model's own"),
    ],
)
def test_a_network_that_fails_is_an_error_and_the_bridge_goes_on(bridge, own, how, line):
    for warm in range(2):
        own.FAILS[0] = how if warm else ""
        if not warm:
            bridge.record("Fails")
    with pytest.raises(ModelError, match=line) as caught:
        bridge.record("Fails", [client.noise(4)])
    assert str(caught.value).count("\n") == 0
    own.FAILS[0] = ""
    assert_same(bridge.record("Fails", [client.noise(4)]), in_process("Fails", "noise:4"))


def test_a_fault_of_ours_is_told_too(server, bridge, monkeypatch):
    monkeypatch.setitem(server.calls, "describe", lambda values, arrays: (1 / 0 for _ in range(1)))
    with pytest.raises(BridgeError, match="ZeroDivisionError: division by zero"):
        bridge.describe()


def test_an_error_in_the_middle_of_an_answer_is_its_end(server, bridge, monkeypatch):
    def half(values, arrays):
        yield {"told": 1}, {}
        raise InputError("enough")

    monkeypatch.setitem(server.calls, "describe", half)
    arrived = []
    with pytest.raises(InputError, match="enough"):
        arrived.extend(bridge.call("describe", {}))
    assert arrived == [({"told": 1}, {})]
    monkeypatch.undo()
    assert bridge.describe()["device"] == "cpu"


def test_unknown_networks_and_calls(bridge):
    with pytest.raises(UnknownName, match="no network 'objcet'; did you mean object"):
        bridge.record("objcet")
    with pytest.raises(
        InputError, match="network is 'x{20,80}'; a text of at most 4,096 characters is needed"
    ) as caught:
        bridge.record("x" * 100_000)
    assert len(str(caught.value)) < 500
    with pytest.raises(BridgeError, match="no such call"):
        list(bridge.call("erase", {}))


# What a shelf and an inspector ask


def test_pictures_by_draw_page_and_class(bridge):
    description, small = bridge.pictures("objects", size=32, page={"start": 5, "count": 3})
    assert description["indices"] == [5, 6, 7]
    assert small.shape == (3, 32, 32, 3) and small.dtype == np.uint8
    again = [bridge.pictures("objects", size=16, draw={"count": 6, "seed": 1})[0]["indices"] for _ in range(2)]
    assert again[0] == again[1]
    description, _ = bridge.pictures("objects", size=16, page={"start": 0, "count": 4}, of_class="ring")
    assert {concepts.class_names("object")[label] for label in description["labels"]} == {"ring"}
    assert [name for name, _ in bridge.classes("objects", "IN")] == ["ring"]
    with pytest.raises(InputError, match="size is 4000"):
        bridge.pictures("objects", size=4000, page={"start": 0, "count": 1})
    with pytest.raises(InputError, match='"draw"'):
        bridge.pictures("objects", size=32)
    with pytest.raises(UnknownName, match="no class of objects 'rung'; did you mean ring"):
        bridge.pictures("objects", size=32, page={"start": 0, "count": 1}, of_class="rung")


def test_statistics_of_weights(server, bridge):
    bridge.record("Names", [client.noise(1)])
    weight = server.calls["statistics"].__self__.networks["Names"].model.a.weight.detach().numpy().reshape(-1)
    ((id, (numbers, counts)),) = bridge.statistics("Names", ["a", "input"]).items()
    assert (id, numbers["count"], counts.sum()) == ("a", weight.size, weight.size)
    assert numbers["least"] == weight.min() and numbers["most"] == weight.max()
    assert np.isclose(numbers["mean"], weight.mean()) and np.isclose(numbers["deviation"], weight.std())
    assert np.array_equal(counts, np.histogram(weight.astype(np.float64), 64)[0])
    with pytest.raises(UnknownName, match="no layer 'typo'"):
        bridge.statistics("Names", ["a", "typo"])


def test_weights_that_are_all_equal():
    from innerwalk.torch_bridge.server.weight_statistics import compute_weight_statistics

    ((_, (numbers, counts)),) = compute_weight_statistics(torch.nn.Sequential(torch.nn.BatchNorm2d(5)), ["0"])
    assert (numbers["least"], numbers["most"], numbers["deviation"], counts.sum()) == (1.0, 1.0, 0.0, 5)


def test_it_says_what_it_has(bridge):
    description = bridge.describe()
    assert [entry["name"] for entry in description["networks"]] == [*NETWORKS, "object", "four"]
    assert description["data"] == [{"name": "objects", "count": 2000, "classes": list(concepts.class_names("object"))}]
    assert [entry["name"] for entry in description["methods"]] == list(METHODS)
    listed = [entry["question"] for entry in description["methods"]]
    assert list(dict.fromkeys(listed)) == list(QUESTIONS) and listed == sorted(listed, key=list(QUESTIONS).index)
    assert description["networks"][4]["inputs"] == ["first", "second"]
    assert description["protocol"] == 2


# Many at once


def test_a_thousand_small_requests(bridge):
    for _ in range(1000):
        assert bridge.describe()["device"] == "cpu"


def test_eight_clients_at_once_get_their_own(server):
    known = {(name, seed): in_process(name, f"noise:{seed}") for name in ("Names", "Gated", "Odd") for seed in range(4)}

    def client_number(k):
        with bridges.joined(server) as bridge:
            for turn in range(8):
                name, seed = ("Names", "Gated", "Odd")[(k + turn) % 3], (k * 3 + turn) % 4
                arrived = []
                result = bridge.record(name, [client.noise(seed)], on_maps=arrived.append)
                assert_same(result, known[name, seed])
                assert {maps.layer for maps in arrived} == {layer for layer, _ in result.all_maps}
                if turn % 4 == k % 4:
                    job = bridge.start(name, "activations", inputs=[client.noise(seed)])
                    states, maps = bridges.followed(bridge, job)
                    assert states[-1]["state"] == "done", states[-1]
                    assert all(same(entry, known[name, seed].all_maps[key]) for key, entry in maps.items())
        return k

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client_number, range(8))) == list(range(8))


def test_a_client_that_goes_ends_its_run(server, bridge, own):
    loaded = server.calls["record"].__self__.networks["Gated"]
    bridge.record("Gated", [client.noise(1)])
    before = loaded.last_run
    own.GATE.clear()
    own.REACHED.clear()
    answer = bridge.call("record", {"network": "Gated", "inputs": [{"kind": "noise", "seed": 77}]})
    assert "maps" in next(answer)[0]
    answer.close()
    assert own.REACHED.wait(20)
    own.GATE.set()
    assert bridge.record("Names").all_maps  # a turn comes
    assert bridge.record("Gated", [client.noise(2)]).all_maps
    assert before is not None and loaded.last_run.inputs[0].name == "noise:2"


def test_another_thread_may_close_videos(server, bridge):
    """The calls hold a lock while they change the open videos; a replaced video is closed."""
    service = server.calls["film"].__self__

    class Fake:
        rate, frames, closed = 25.0, 3, 0

        def close(self):
            self.closed += 1

    films = [Fake() for _ in range(40)]
    threads = [threading.Thread(target=service._replace_video, args=("walk", film)) for film in films]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(film.closed for film in films) == 39
    assert bridge.close_video("walk") == []
    assert all(film.closed == 1 for film in films)
    with pytest.raises(UnknownName, match="no video 'walk'"):
        bridge.close_video("walk")
    for k in range(16):
        service._replace_video(f"f{k}", Fake())
    with pytest.raises(InputError, match="16 videos are open"):
        service._replace_video("one more", last := Fake())
    assert last.closed == 1
    for k in range(16):
        service._replace_video(f"f{k}", None)


def test_joining_by_file(server, tmp_path):
    from innerwalk.torch_bridge.server.start import write_connection

    path = tmp_path / "bridge.json"
    write_connection(path, server)
    assert path.stat().st_mode & 0o777 == 0o600
    with client.join_bridge(path) as bridge:
        assert bridge.describe()["device"] == "cpu"
    with pytest.raises(BridgeError, match="the file exists"):
        write_connection(path, server)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BridgeError, match="the file exists"):
        write_connection(tmp_path / "link", server)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(BridgeError, match="can't be written"):
        write_connection(tmp_path / "no" / "bridge.json", server)
    text = path.read_text()
    for wrong, line in (
        (text.replace('"protocol": 2', '"protocol": 9'), "protocol 9, this side speaks 2"),
        (text.replace(bridges.TOKEN, "x"), "wrong token"),
        (text.replace(f'"port": {server.port}', '"port": "8"'), "not the connection file"),
        ("[1]", "not the connection file"),
        ("{", "not the connection file"),
    ):
        path.write_text(wrong)
        with pytest.raises(BridgeError, match=line):
            client.join_bridge(path)
    with pytest.raises(BridgeError, match="is the bridge running"):
        client.join_bridge(tmp_path / "none.json")


def test_a_bridge_that_is_not_there_or_no_bridge(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        def answer():
            connection, _ = taken.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b"\xff" * 20)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(BridgeError, match=r"a frame of [\d,]+ bytes"):
            client.join_at(port, "x")
        thread.join()
        with pytest.raises(BridgeError, match="can't be used"), bridges.serving_here({}) as server:
            type(server)(server.calls, "t", port)
    with pytest.raises(BridgeError, match="has ended or can't be reached"):
        client.join_at(port, "x")
