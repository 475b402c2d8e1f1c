"""Real weights and real pictures, from the folder INNERWALK_DATA: the right class, by the files' own preprocessing."""

import gzip
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)  # two on a busy machine wait for each other most of the time
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import preprocess_picture  # noqa: E402
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402
from innerwalk.torch_bridge.recording import Recording, load, save  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, prepare, record_from  # noqa: E402

PHOTOGRAPHS = [("parrot", "macaw"), ("bird", "chickadee"), ("dragonfly", "dragonfly"), ("cat_720p", "Egyptian cat")]


@pytest.fixture(autouse=True)
def own_models(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


@pytest.fixture
def recorded(data_folder):
    """recorded(model, weights' stem, *inputs) -> Recording of the graph, or of `layers`."""

    def record(model: str, weights: str, *inputs: str, **more) -> Recording:
        if ":" not in model and import_torchvision() == "absent":
            pytest.skip("needs torchvision")
        path = data_folder / "weights" / f"{weights}.safetensors"
        return record_from(RecordSpec(model, weights=str(path), inputs=inputs, **{"layers": (), **more}))

    return record


@pytest.fixture
def digits(data_folder) -> tuple[np.ndarray, np.ndarray]:
    """(10000, 28, 28) uint8 and (10000,) labels."""
    folder = data_folder / "mnist_t10k"
    pixels = gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    return np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8)


@pytest.mark.parametrize(("photograph", "name"), PHOTOGRAPHS)
@pytest.mark.parametrize(
    ("model", "weights"),
    [
        ("squeezenet1_0", "squeezenet1_0_imagenet"),
        ("mobilenet_v2", "mobilenet_v2_imagenet"),
        ("own_models:MobileNetV1", "mobilenet_v1_050_imagenet"),
    ],
)
def test_photographs_are_named_rightly(recorded, data_folder, model, weights, photograph, name):
    image = data_folder / "coral_images" / f"{photograph}.jpg"
    found = recorded(model, weights, str(image), classes=str(data_folder / "imagenet_class_names.json"))
    assert found.prediction.top[0][1] == name, found.prediction.top[:3]
    assert found.network.trained and found.network.weights == f"{weights}.safetensors"


def test_the_files_own_preprocessing_is_used_and_told(recorded, data_folder):
    image = str(data_folder / "coral_images" / "bird.jpg")
    squeezenet = recorded("squeezenet1_0", "squeezenet1_0_imagenet", image)
    mobilenet = recorded("own_models:MobileNetV1", "mobilenet_v1_050_imagenet", image)
    assert squeezenet.provenance["preprocessing"] == (
        "RGB, stretched to 256×256 (bilinear), centre crop 224×224, mean 0.485 0.456 0.406, std 0.229 0.224 0.225 "
        "(crop, interpolation: default; channels, size, stretch, mean, std: squeezenet1_0_imagenet.safetensors)"
    )
    assert "centre crop 161×161, mean 0.5, std 0.5" in mobilenet.provenance["preprocessing"]
    assert squeezenet.picture.shape == (224, 224, 3) and mobilenet.picture.shape == (161, 161, 3)
    assert squeezenet.provenance["licence"] == "BSD-2-Clause style"


def test_a_recording_on_disk_says_the_same(recorded, data_folder, tmp_path):
    image = str(data_folder / "coral_images" / "parrot.jpg")
    made = recorded("squeezenet1_0", "squeezenet1_0_imagenet", image, layers=["features.0", "features.3.*"])
    save(made, tmp_path / "parrot")
    read = load(tmp_path / "parrot")
    assert read.prediction.top == made.prediction.top and read.provenance == made.provenance
    assert np.array_equal(read.maps("features.0").data, made.maps("features.0").data)
    assert made.maps("features.0").shape == (96, 109, 109)


def test_an_own_residual_network_on_small_pictures(recorded, data_folder, tmp_path):
    names = "airplane automobile bird cat deer dog frog horse ship truck".split()
    (tmp_path / "cifar.json").write_text(json.dumps(names))
    image = str(data_folder / "coral_images" / "bird.jpg")
    found = recorded("own_models:CifarResNet", "cifar10_resnet20", image, classes=str(tmp_path / "cifar.json"))
    assert found.picture.shape == (32, 32, 3) and found.prediction.top[0][1] == "bird"
    assert sum(layer.kind == "add" for layer in found.network.layers) == 9
    deeper = recorded("own_models:CifarResNet", "cifar10_resnet56", image, arguments={"blocks": 9})
    assert "32×32, mean 0.485" in deeper.provenance["preprocessing"]  # "as resnet20", says the file


@pytest.fixture
def reader(data_folder):
    """reader(picture (H, W) or (H, W, 3) uint8) -> (10,) probabilities of LeNet-5."""
    subject = prepare(
        RecordSpec("own_models:LeNet5", weights=str(data_folder / "weights" / "mnist_lenet5.safetensors"))
    )

    def read(picture: np.ndarray) -> np.ndarray:
        values, _ = preprocess_picture(Image.fromarray(picture), subject.adapter.preprocessing)
        with torch.no_grad():
            return torch.softmax(subject.built.module(torch.from_numpy(values)[None]), 1)[0].numpy()

    return read


def test_digits_are_read(reader, recorded, digits, tmp_path):
    pixels, labels = digits
    assert sum(int(reader(pixels[k]).argmax() == labels[k]) for k in range(300)) >= 295  # 99.1 % of all 10,000
    Image.fromarray(pixels[0]).save(tmp_path / "seven.png")
    found = recorded("own_models:LeNet5", "mnist_lenet5", str(tmp_path / "seven.png"))
    assert found.prediction.top[0][1] == "class 7" and found.picture.shape == (32, 32, 3)


def test_a_generator_ends_in_its_picture_of_a_digit(reader, recorded):
    """LeNet-5 gives its pictures a probability of 0.93 in the mean, over 1000 drawn."""
    weights = ("own_models:DcganGenerator", "mnist_dcgan_generator")
    made = [recorded(*weights, f"noise:{seed}") for seed in range(40)]
    assert {one.prediction.kind for one in made} == {"picture"}
    assert made[0].prediction.picture.shape == (28, 28, 3) and made[0].network.layers[0].shape[0] == 64
    assert np.mean([reader(one.prediction.picture).max() for one in made]) > 0.85


def test_class_names_of_another_network_are_refused(recorded, data_folder, digits, tmp_path):
    Image.fromarray(digits[0][0]).save(tmp_path / "digit.png")
    with pytest.raises(InputError, match="imagenet_class_names.json: 1000 names, the network has 10 classes"):
        recorded("own_models:LeNet5", "mnist_lenet5", str(tmp_path / "digit.png"),
                 classes=str(data_folder / "imagenet_class_names.json"))  # fmt: skip
