"""Top images: the pictures x_i of a data set with the largest max_yx A_k(x_i) or mean, cropped to receptive fields.

Zhou et al. 2015, "Object Detectors Emerge in Deep Scene CNNs". One pass over the data: pictures are cropped as they
come, and only the best are kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import Method, MethodContext, Step
from ..method_support.top_images_pass import TopImagesParameters, TopImagesPass


def top_images(context: MethodContext, parameters: TopImagesParameters) -> Iterator[Step]:
    """Passes over the data once. Maps: (C, H, W, 3) sRGB 0..1, a mosaic for each channel, best picture first.

    Extra "values": (C,) float32, the best picture's score in the layer's own units. Raises ModelError, and InputError
    without a data set or for channels that don't exist.
    """
    yield Step(0.0, "reaching the layers")
    images_pass = TopImagesPass(DataSetPass(context, context.layers, TOP_IMAGES.name), parameters)
    yield from images_pass.run(TOP_IMAGES.name)
    for maps in images_pass.layer_maps(TOP_IMAGES.name):
        yield Step(1.0, images_pass.message(), (maps,))


TOP_IMAGES = Method(
    "top_images",
    "Top images",
    "The pictures of a data set that activate each channel most.",
    top_images,
    TopImagesParameters,
    needs="data",
)
