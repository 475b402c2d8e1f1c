"""A network of a picture and words in a hall: each input is placed by its name, and the other stays."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.paint.pictures import picture_image, read_pixels  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_board  # noqa: E402
from innerwalk.scenes import Hall  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402


class PictureAndWords(nn.Module):
    """Embeds words, then a picture, and compares both; a mask is optional."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.word_head = nn.Embedding(50, 8), nn.Linear(8, 6)
        self.conv, self.picture_head = nn.Conv2d(3, 4, 3), nn.Linear(4, 6)

    def forward(self, input_ids, pixel_values):
        text = self.word_head(self.words(input_ids).mean(1))
        image = self.picture_head(self.conv(pixel_values).relu().mean((2, 3)))
        return {"logits": (text * image).sum(1, keepdim=True), "text_embeds": text, "image_embeds": image}


@pytest.fixture
def hall(empty_scene):
    torch.manual_seed(0)
    ids, picture = torch.tensor([[3, 5, 7]]), torch.rand(1, 3, 16, 12)
    hall = Hall.of(PictureAndWords(), {"input_ids": ids, "pixel_values": picture})
    yield hall
    Hall.leave_bridge()


def inputs(hall) -> dict:
    return {own.name: own for own in store.read_without_maps(hall.scene).inputs}


def words(hall) -> list[int]:
    return inputs(hall)["input_ids"].values[:, 1].astype(int).tolist()


def maps(hall) -> dict[str, np.ndarray]:
    return {panel.layer: panel.values.copy() for panel in hall.panels}


def test_each_input_has_its_board_and_its_own_edges(hall):
    assert list(inputs(hall)) == ["input_ids", "pixel_values"] and words(hall) == [3, 5, 7]
    assert inputs(hall)["pixel_values"].pixels.shape == (1, 16, 12, 3)
    outputs = store.read_without_maps(hall.scene).outputs
    assert [own.name for own in outputs] == ["logits", "text_embeds", "image_embeds"]


def test_a_placed_picture_keeps_the_words(hall, tmp_path):
    before = maps(hall)
    hall.place(pixel_values=np.full((16, 12, 3), 255, np.uint8))
    assert words(hall) == [3, 5, 7]
    assert (read_pixels(picture_image(find_board(hall.scene, "input", 1))) > 250).all()
    after = maps(hall)
    changed = {layer for layer, values in after.items() if not np.array_equal(values, before[layer])}
    assert "conv" in changed and not {"words", "word_head"} & changed


def test_placed_words_keep_the_picture(hall):
    shown = inputs(hall)["pixel_values"].pixels
    before = maps(hall)
    actions.place_input(hall.scene, text="ids:9,9", argument="input_ids")
    hall.wait()
    assert words(hall) == [9, 9] and np.array_equal(inputs(hall)["pixel_values"].pixels, shown)
    after = maps(hall)
    assert np.array_equal(after["conv"], before["conv"]) and after["words"].shape != before["words"].shape


def test_both_stay_when_one_after_the_other_is_placed(hall):
    hall.place(input_ids="ids:1,2,3,4")
    hall.place(pixel_values="noise:4")
    assert words(hall) == [1, 2, 3, 4] and inputs(hall)["pixel_values"].shape == (1, 3, 16, 12)
    hall.place(input_ids=torch.tensor([[8, 8, 8]]))
    assert words(hall) == [8, 8, 8] and inputs(hall)["pixel_values"].source == "noise:4"


def test_any_token_of_the_embedding_may_be_placed(hall):
    for ids in ([1, 1], [40, 49], [48]):
        hall.place(input_ids="ids:" + ",".join(map(str, ids)))
        assert words(hall) == ids
    with pytest.raises(InputError, match="token 50: the network knows 50 tokens, from 0 to 49"):
        hall.place(input_ids="ids:50")
    hall.place(input_ids="noise:2")
    assert max(words(hall)) < 50


def test_a_picture_without_a_name_goes_where_pictures_go(hall, tmp_path):
    actions.place_input(hall.scene, filepath=grey_file(tmp_path))
    hall.wait()
    assert inputs(hall)["pixel_values"].source == "grey.png" and words(hall) == [3, 5, 7]


def grey_file(folder) -> str:
    image = bpy.data.images.new("grey", 12, 16)
    image.filepath_raw, image.file_format = str(folder / "grey.png"), "PNG"
    image.save()
    return image.filepath_raw


@pytest.mark.parametrize("kind", [dict, tuple, list])
def test_paths_and_words_stand_for_tensors(empty_scene, tmp_path, kind):
    torch.manual_seed(0)
    model, path = PictureAndWords(), grey_file(tmp_path)
    own = {"pixel_values": path, "input_ids": "ids:4,5"}
    hall = Hall.of(model, own if kind is dict else kind(["ids:4,5", path]), size=(16, 12), crop=1)
    try:
        found = inputs(hall)
        assert list(found) == ["input_ids", "pixel_values"] and words(hall) == [4, 5]
        assert found["pixel_values"].source == "grey.png" and found["pixel_values"].shape == (1, 3, 16, 12)
        black = (torch.zeros(3) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
        seen = model.conv(black[None, :, None, None].expand(1, 3, 16, 12))[0].detach().numpy()
        assert np.allclose(hall["conv"].values, seen, atol=1e-5)
        hall.place({"input_ids": torch.tensor([[7, 7]]), "pixel_values": path})
        assert words(hall) == [7, 7] and inputs(hall)["pixel_values"].source == "grey.png"
    finally:
        Hall.leave_bridge()


def test_optional_arguments_are_placed_by_their_names(empty_scene):
    """Networks of libraries often need no argument by their signature."""

    class Optional(PictureAndWords):
        def forward(self, input_ids=None, mask=None, pixel_values=None):
            return super().forward(input_ids, pixel_values)

    hall = Hall.of(Optional(), {"input_ids": "ids:1,2", "pixel_values": torch.rand(1, 3, 16, 12)})
    try:
        hall.place(pixel_values="noise:3")
        assert words(hall) == [1, 2] and inputs(hall)["pixel_values"].source == "noise:3"
        hall.place(input_ids="ids:9")
        assert words(hall) == [9] and inputs(hall)["pixel_values"].source == "noise:3"
    finally:
        Hall.leave_bridge()


def test_wrong_names_and_texts_are_told_in_one_line(hall):
    with pytest.raises(UnknownName, match="pixel_values"):
        hall.place(pixels="noise:1")
    with pytest.raises(InputError, match="vocabulary"):
        hall.place(input_ids="text:a cat")
    with pytest.raises(InputError, match="in order, or by the names"):
        hall.place("noise:1", input_ids="ids:1")
    assert words(hall) == [3, 5, 7]
