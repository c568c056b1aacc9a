"""Pictures of models and of trainings, each on the axes given, or on new ones. Matplotlib loads with the first.

Your own look like them with ``plt.style.use("nn.plots.chainrule")``: colours that the colour-blind tell apart.

>>> from matplotlib.figure import Figure
>>> from nn import MLP, data, plots
>>> xs, labels = data.line(20)
>>> plots.decision_boundary(MLP(2, [2], seed=0), xs, labels, Figure().subplots()).get_title()
'Decision boundary'
"""

from .animation import Animation as Animation
from .boundary import decision_boundary as decision_boundary
from .curve import plot_curve as plot_curve
from .images import plot_images as plot_images
from .loss import plot_loss as plot_loss
from .matrix import confusion as confusion
from .style import DATA as DATA
from .style import MODEL as MODEL
from .style import TRUTH as TRUTH
