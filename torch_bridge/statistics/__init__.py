"""Statistics over data that merge: of two parts of a data set, in either order, they give what one run over it gives.

`Best` and `Spread` and `Histogram` give the same bits however the pictures are split; `Together` is a sum of real
numbers and gives the same to 1e-12. Everything is a channel a row, and numpy alone.
"""

from .covariance import Together
from .histogram import Histogram
from .top_k import Best
from .value_range import Spread

__all__ = ["Best", "Histogram", "Spread", "Together"]
