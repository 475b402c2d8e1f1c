"""Statistics over a data set that can be merged: parts of the data in any order give the result of one run over all.

TopK, ValueRange and the histograms give the same bits however the pictures are split; Covariance sums real numbers
and gives the same to 1e-12. All arrays have a row a channel, and only numpy is needed.
"""

from .covariance import Covariance
from .histogram import ChannelHistogram
from .tail_histogram import TailHistogram
from .top_k import TopK
from .value_range import ValueRange

__all__ = ["ChannelHistogram", "Covariance", "TailHistogram", "TopK", "ValueRange"]
