"""From a layer's maps back to a picture: inversion by gradient descent, trained inverters, generators, error measures.

`python -m innerwalk.torch_bridge.inverters.train NETWORK LAYER --data WHERE -o FILE.safetensors` trains an inverter.
"""

from .code_ascent import CodeAscent
from .distances import PictureErrorScale, feature_error, load_picture, mean_pair_distance
from .generators import PictureGenerator, generator_from_network, generator_from_prior
from .gradient_descent import InversionDescent, InversionObjective, Optimiser, start_noise
from .inverter_files import Inverter, InverterQuery, find_inverters, read_inverter
from .perturbations import PERTURBATION_HELP, Perturbation, keep_only, perturb_maps

__all__ = [
    "PERTURBATION_HELP",
    "CodeAscent",
    "InversionDescent",
    "InversionObjective",
    "Inverter",
    "InverterQuery",
    "Optimiser",
    "Perturbation",
    "PictureErrorScale",
    "PictureGenerator",
    "feature_error",
    "find_inverters",
    "generator_from_network",
    "generator_from_prior",
    "keep_only",
    "load_picture",
    "mean_pair_distance",
    "perturb_maps",
    "read_inverter",
    "start_noise",
]
