"""Optimisers: how the parameters move, given their gradients."""

from .adagrad import Adadelta as Adadelta
from .adagrad import Adagrad as Adagrad
from .adagrad import RMSprop as RMSprop
from .adam import Adam as Adam
from .adam import Adamax as Adamax
from .adam import AdamW as AdamW
from .adam import Nadam as Nadam
from .clipping import ClipByNorm as ClipByNorm
from .clipping import ClipByValue as ClipByValue
from .names import OPTIMIZERS as OPTIMIZERS
from .names import by_name as by_name
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
