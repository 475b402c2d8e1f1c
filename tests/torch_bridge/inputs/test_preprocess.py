"""Preprocessing against torchvision's transforms, the order of its sources, and the metadata of weights files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs torch")
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from innerwalk.torch_bridge.inputs.preprocess import (  # noqa: E402
    Preprocessing,
    fit_picture,
    resolve_preprocessing,
    torchvision_facts,
)
from innerwalk.torch_bridge.inputs.sources import preprocess_picture  # noqa: E402
from innerwalk.torch_bridge.inputs.weights_metadata import class_list, input_facts, latent_shape  # noqa: E402
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


def colours(height: int, width: int) -> np.ndarray:
    """(H, W, 3) uint8 without symmetry, so that no turn or swap goes unseen."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x * 7 + y * 3) % 256], 2).astype(np.uint8)


@pytest.mark.parametrize("shape", [(300, 500), (500, 300), (257, 256), (90, 300)])
def test_torchvision_transforms_give_the_same_bits(shape):
    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    from torchvision import models

    image = Image.fromarray(colours(*shape))
    for weights in (models.ResNet50_Weights.IMAGENET1K_V2, models.EfficientNet_B0_Weights.IMAGENET1K_V1,
                    models.segmentation.FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1):  # fmt: skip
        ours, _ = preprocess_picture(image, resolve_preprocessing([("torchvision", torchvision_facts(weights))]))
        assert np.array_equal(ours, weights.transforms()(image).numpy())


def test_crop_keeps_the_middle_and_stretch_keeps_the_ends():
    image = Image.fromarray(colours(100, 200))
    cover = np.asarray(fit_picture(image, Preprocessing(size=(50, 50))))
    stretch = np.asarray(fit_picture(image, Preprocessing(size=(50, 50), stretch=True)))
    middle = np.asarray(fit_picture(image, Preprocessing(size=(50, 100), crop=0.5)))
    assert cover[0, 0, 0] == pytest.approx(63, abs=3) and cover[0, -1, 0] == pytest.approx(190, abs=3)
    assert stretch[0, 0, 0] <= 3 and stretch[0, -1, 0] >= 250
    assert np.array_equal(middle, colours(100, 200)[25:75, 50:150])


def test_the_strongest_source_wins_and_is_named():
    preprocessing = resolve_preprocessing(
        [("options", {"size": (64, 64)}), ("w.safetensors", {"size": (32, 32), "mean": (0.5,), "std": (0.25,)})]
    )
    assert (preprocessing.size, preprocessing.mean, preprocessing.std, preprocessing.crop) == (
        (64, 64),
        (0.5,),
        (0.25,),
        1.0,
    )
    assert preprocessing.describe() == (
        "RGB, scaled to cover 64×64 (bilinear), centre crop 64×64, mean 0.5, std 0.25 "
        "(crop, interpolation, channels: default; size: options; mean, std: w.safetensors)"
    )


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"mean": (0.5, 0.5)}, r"mean \(0.5, 0.5\): 1 or 3 numbers of at most"),
        ({"mean": (10**400,)}, "1 or 3 numbers of at most 1e\\+06"),
        ({"mean": (float("nan"),)}, "1 or 3 numbers of at most"),
        ({"std": (1e-300,)}, r"std \(1e-300,\): must be above 0, at least 1e-06"),
        ({"size": (8, 8), "crop": 1e-9}, "crop 1e-09: too small"),
        ({"size": (8, 8), "crop": 5e-324}, "crop 5e-324: too small"),
        ({"crop": 10**400}, "must be above 0 and at most 1"),
        ({"std": (0.5, 0.0, 1.0)}, "must be above 0"),
        ({"size": (0, 9)}, "size 0×9: each side must be 1 to 8192 pixels"),
        ({"crop": 1.5}, "crop 1.5: must be above 0 and at most 1"),
        ({"interpolation": "cubic"}, "interpolation cubic: must be one of nearest"),
        ({"channels": 5}, "the network takes 5: give it a .npy file"),
    ],
)
def test_numbers_that_cant_be(facts, message):
    with pytest.raises(InputError, match=message):
        resolve_preprocessing([("options", facts)])


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ("RGB/255, mean=[.485,.456,.406] std=[.229,.224,.225], 32x32",
         {"channels": 3, "size": (32, 32), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}),
        ("RGB/255, mean=std=[.5,.5,.5]; use 225x225 (or any 32n+1)",
         {"channels": 3, "size": (225, 225), "mean": (0.5,) * 3, "std": (0.5,) * 3}),
        ("grey/255 resized to 32x32 bilinear",
         {"channels": 1, "size": (32, 32), "mean": (0.0,), "std": (1.0,), "crop": 1.0, "stretch": True,
          "interpolation": "bilinear"}),
        ("224 or 227 (Caffe recipe)", {"size": (224, 224), "stretch": True}),
        ("a sentence that states nothing", {}),
    ],
)  # fmt: skip
def test_what_a_weights_file_states_in_words(line, facts):
    assert input_facts({"input": line}, Path("w.safetensors")) == facts


def test_what_a_weights_file_states_in_values_or_by_its_neighbour(tmp_path):
    values = {"size": "96", "mean": "[0.5, 0.5, 0.5]", "std": "0.25", "crop": '"wide"', "interpolation": "bicubic"}
    assert input_facts(values, tmp_path) == {
        "size": (96, 96), "mean": (0.5, 0.5, 0.5), "std": (0.25,), "interpolation": "bicubic",
    }  # fmt: skip
    neighbour = b"".join(
        safetensors.encode({"x": np.zeros(1, np.float32)}, {"input": "RGB/255, mean=std=[.5,.5,.5], 224x224"})
    )
    (tmp_path / "big_net_v2.safetensors").write_bytes(neighbour)
    facts = input_facts({"input": "as big_net_v2, 161x161"}, tmp_path / "small.safetensors")
    assert facts == {"channels": 3, "size": (161, 161), "mean": (0.5,) * 3, "std": (0.5,) * 3}
    assert latent_shape({"arch": "z~N(0,1) shape (N,64,1,1); out (N,1,28,28)"}) == (64, 1, 1)


PIECES = ("RGB", "grey", "/255", "mean=", "mean=std=", "[.5,.5,.5]", "[nan,1]", "[", "0x0", "224 or 227", "9999",
          "as x", "resized to", "Caffe", "shape (N,0,1)", "[]", "-3", "1e999", "[[1]]", "true", "٣x٤")  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["input", "size", "mean", "std", "channels", "crop", "interpolation", "stretch", "classes"]),
        st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join) | st.text(max_size=9),
    )
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_metadata_of_a_stranger_is_understood_or_refused(metadata):
    facts = input_facts(metadata, Path("nowhere") / "w.safetensors")
    assert isinstance(class_list(metadata), list) and isinstance(latent_shape(metadata), tuple)
    try:
        assert resolve_preprocessing([("w.safetensors", facts)]).describe()
    except InputError as error:
        assert "\n" not in str(error)


def test_a_picture_that_would_become_enormous_is_refused():
    from PIL import Image

    preprocessing = resolve_preprocessing([("options", {"size": (224, 224)})])
    with pytest.raises(InputError, match="a picture of 40000 × 1 pixels would become 10240000 × 256; crop it"):
        preprocess_picture(Image.new("RGB", (40000, 1)), preprocessing)
