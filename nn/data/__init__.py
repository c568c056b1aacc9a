"""Data to learn from: points that are drawn, digits, and the images of MNIST and Fashion-MNIST.

>>> from nn import data
>>> xs, labels = data.moons(100, noise=0.1)
>>> xs.shape, data.one_hot(labels).shape
((100, 2), (100, 2))
"""

from .idx import read_idx as read_idx
from .images import Images as Images
from .images import Split as Split
from .images import digits as digits
from .images import fashion_mnist as fashion_mnist
from .images import mnist as mnist
from .labels import one_hot as one_hot
from .points import blobs as blobs
from .points import circles as circles
from .points import line as line
from .points import moons as moons
from .points import sin as sin
from .points import spirals as spirals
