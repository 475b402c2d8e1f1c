"""Statistics over data that merge: of two parts of a data set, in either order, they give what one run over it gives.

`Best` and `Spread` and `Histogram` give the same bits however the pictures are split; `Together` is a sum of real
numbers and gives the same to 1e-12. Everything is a channel a row, and numpy alone.
"""

from .covariance import Covariance
from .histogram import ChannelHistogram
from .top_k import TopK
from .value_range import ValueRange

__all__ = ["TopK", "ChannelHistogram", "ValueRange", "Covariance"]
