"""The generator that ships with the project: a code becomes maps of 4 x 4, which are enlarged to a picture of 64 x 64."""

from __future__ import annotations

from torch import Tensor, nn

CODE_WIDTH = 160
"""Units of the two layers that read the code."""
START_CHANNELS = 112
"""Channels of the first maps."""
CHANNELS = (96, 64, 40, 24)
"""Channels of the maps of 8, 16, 32 and 64 pixels."""


class Enlarge(nn.Sequential):
    """Doubles height and width by a transposed convolution, as in DCGAN (Radford et al. 2016), and refines them."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, channels, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)


class ConceptsGenerator(nn.Module):
    """Codes (N, L) float32, normal -> pictures (N, 3, 64, 64) float32 in -1..1."""

    def __init__(self, code_length: int) -> None:
        super().__init__()
        self.read1 = nn.Linear(code_length, CODE_WIDTH)
        self.read_act1 = nn.ReLU()
        self.read2 = nn.Linear(CODE_WIDTH, CODE_WIDTH)
        self.read_act2 = nn.ReLU()
        self.start = nn.Linear(CODE_WIDTH, START_CHANNELS * 16)
        self.maps = nn.Unflatten(1, (START_CHANNELS, 4, 4))
        self.start_act = nn.ReLU()
        in_channels = START_CHANNELS
        for number, channels in enumerate(CHANNELS, 1):
            self.add_module(f"up{number}", Enlarge(in_channels, channels))
            in_channels = channels
        self.picture = nn.Conv2d(in_channels, 3, 3, padding=1)
        self.limit = nn.Tanh()

    def forward(self, code: Tensor) -> Tensor:
        """(N, L) float32 codes -> (N, 3, 64, 64) float32 pictures in -1..1."""
        read = self.read_act2(self.read2(self.read_act1(self.read1(code))))
        x = self.start_act(self.maps(self.start(read)))
        x = self.up4(self.up3(self.up2(self.up1(x))))
        return self.limit(self.picture(x))
