"""Pictures: what they show, read back from matplotlib."""

import math

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import nn
from nn import MLP, History, fit, plots
from nn.plots.boundary import SHADES, SIDE
from nn.plots.style import CLASSES
from nn.prediction import Predictor


@pytest.fixture
def axes():
    return matplotlib.figure.Figure().subplots()


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def history(losses, **others):
    columns = {"loss": losses, **others}
    return History([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def test_the_style_of_the_course_has_the_colors_of_the_classes():
    with plt.style.context("nn.plots.chainrule"):
        assert tuple(each["color"] for each in plt.rcParams["axes.prop_cycle"]) == CLASSES


# ---- the loss --------------------------------------------------------------------------------------------------------


def test_the_loss_is_drawn_by_epoch_on_a_log_axis(axes):
    assert plots.plot_loss(history([0.5, 0.25, 0.125]), axes) is axes
    assert axes.get_yscale() == "log"
    [line] = axes.lines
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 2, 3], [0.5, 0.25, 0.125])
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("Training loss", "epoch", "loss")
    assert axes.get_legend() is None


def test_the_validation_loss_is_a_second_line(axes):
    plots.plot_loss(history([0.5, 0.25], validation_loss=[0.75, 0.5]), axes)
    training, validation = axes.lines
    assert list(validation.get_ydata()) == [0.75, 0.5]
    assert training.get_linestyle() != validation.get_linestyle()
    assert (axes.get_title(), legend(axes)) == ("Loss", ["training", "validation"])


def test_the_best_epoch_is_marked(axes):
    found = history([0.5, 0.25, 0.3])
    found.best_epoch = 2
    plots.plot_loss(found, axes)
    assert list(axes.lines[1].get_xdata()) == [2, 2]
    assert legend(axes) == ["training", "best epoch, 2"]


def test_a_loss_of_0_has_no_logarithm(axes):
    plots.plot_loss(history([0.5, 0.0], validation_loss=[0.75, 0.5]), axes)
    assert axes.get_yscale() == "linear"


@pytest.mark.parametrize("epochs", [0, 1, 2, 3])
def test_epochs_are_whole_and_a_single_one_is_seen(axes, epochs):
    plots.plot_loss(history([0.5] * epochs), axes)
    axes.figure.canvas.draw()
    assert all(tick == int(tick) for tick in axes.get_xticks())
    assert axes.lines[0].get_marker() == ("o" if epochs == 1 else "None")


# ---- a curve ---------------------------------------------------------------------------------------------------------


def test_a_curve_is_drawn_beside_data_and_truth(axes):
    model, xs, ys = MLP(1, [3, 1], activation="tanh", seed=0), [-1.0, 0.5, 2.0], [0.0, 1.0, 0.0]
    assert plots.plot_curve(model, xs, ys, axes, math.cos, (-2.0, 2.0)) is axes
    data, truth, fitted = axes.lines
    assert (list(data.get_xdata()), list(data.get_ydata())) == (xs, ys)
    assert list(truth.get_ydata()) == [math.cos(x) for x in truth.get_xdata()]
    grid = fitted.get_xdata()
    assert (grid[0], grid[-1]) == (-2.0, 2.0)
    assert list(fitted.get_ydata()) == nn.predict(model, grid).tolist()
    assert legend(axes) == ["data (3 points)", "cos x", "model"]


def test_a_curve_without_a_truth_goes_as_far_as_the_data(axes):
    plots.plot_curve(MLP(1, [1]), [-1.0, 0.5, 2.0], [0.0, 1.0, 0.0], axes)
    _, fitted = axes.lines
    assert (min(fitted.get_xdata()), max(fitted.get_xdata())) == (-1.0, 2.0)
    assert legend(axes) == ["data (3 points)", "model"]


# ---- classes in the plane --------------------------------------------------------------------------------------------

POINTS, LABELS = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 2.0]], [0, 0, 1, 1]


def model_of(*outputs):
    """A model of two numbers, by functions of both."""

    def model(x):
        found = [output(*x) for output in outputs]
        return found if len(found) > 1 else found[0]

    return model


def shown(axes, x, y):
    """The colour of a place in the plane."""
    figure = axes.figure
    figure.set_size_inches(6, 6)
    for line in axes.lines:
        line.set_visible(False)
    figure.canvas.draw()
    column, row = axes.transData.transform((x, y)).astype(int)
    pixels = np.asarray(figure.canvas.buffer_rgba())
    return to_hex(pixels[len(pixels) - 1 - row, column] / 255.0)


@pytest.fixture
def drawn():
    """New axes that can be looked at."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = matplotlib.figure.Figure()
    FigureCanvasAgg(figure)
    return figure.subplots()


def tint(k, shade):
    """The colour of the class k in one of its shades."""
    white = 0.8 - 0.5 * shade / SHADES
    return to_hex([white + (1.0 - white) * part for part in matplotlib.colors.to_rgb(CLASSES[k])])


def close(one, other):
    """Whether two colours are the same, to the rounding of a byte."""
    return max(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) for i in (1, 3, 5)) <= 1


@pytest.mark.parametrize(
    "model", [model_of(lambda x, y: x), model_of(lambda x, y: 0.0 * x, lambda x, y: x)], ids=["one logit", "two logits"]
)
def test_the_shade_is_the_margin_of_the_probability(drawn, model):
    plots.decision_boundary(model, [[-4.0, -4.0], [4.0, 4.0]], [0, 1], drawn)
    for x in (-4.0, -2.0, -1.0, -0.2, 0.2, 1.0, 2.0, 4.0):
        margin = math.tanh(abs(x) / 2.0)  # 2 sigmoid(|x|) - 1
        assert close(shown(drawn, x, 1.0), tint(int(x > 0), math.floor(margin * SHADES)))


def test_of_scores_only_the_class_is_shown(drawn):
    model = model_of(lambda x, y: x, lambda x, y: y, lambda x, y: 0.0 * x)
    plots.decision_boundary(model, [[-4.0, -4.0], [4.0, 4.0]], [0, 1], drawn, probabilities=None)
    for place, k in (((3.0, 1.0), 0), ((0.2, 0.1), 0), ((1.0, 3.0), 1), ((-1.0, -2.0), 2), ((-4.0, -0.1), 2)):
        assert close(shown(drawn, *place), tint(k, 0))


def test_the_boundary_is_where_classes_are_equally_probable(axes):
    plots.decision_boundary(model_of(lambda x, y: x - 0.3), POINTS, LABELS, axes)
    lines = [each for each in axes.collections if not each.get_fill() and len(each.get_facecolor()) == 0]
    places = np.concatenate([path.vertices for each in lines for path in each.get_paths()])
    assert len(places)
    # Straight between two places of the grid, where the margin tanh(x / 2) is straight to the third power of their
    # distance, h³ / 12 at the most.
    step = (1.0 + 2 * 0.2) / (SIDE - 1)
    assert np.abs(places[:, 0] - 0.3).max() <= step**3


def test_a_class_that_is_nowhere_predicted_is_drawn_all_the_same(axes):
    plots.decision_boundary(model_of(lambda x, y: 5.0 + 0.0 * x), POINTS, LABELS, axes)
    assert legend(axes) == ["class 0", "class 1"]
    assert axes.lines[0].get_xydata().tolist() == POINTS[:2]


def test_training_and_test_points_are_told_apart_and_so_are_classes(axes):
    test = np.array([[3.0, 3.0], [0.5, 0.5]]), np.array([1, 0])
    assert plots.decision_boundary(model_of(lambda x, y: x), POINTS, LABELS, axes, test=test) is axes
    drawn = [line for line in axes.lines if len(line.get_xdata())]
    assert [line.get_xydata().tolist() for line in drawn] == [POINTS[:2], [[0.5, 0.5]], POINTS[2:], [[3.0, 3.0]]]
    faces = [line.get_markerfacecolor() for line in drawn]
    assert faces == [CLASSES[0], "white", CLASSES[1], "white"]
    markers = [line.get_marker() for line in drawn]
    assert markers[0] == markers[1] != markers[2] == markers[3]
    assert legend(axes) == ["class 0", "class 1", "training", "test"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x₁", "x₂")
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < 0.0 < 3.0 < right
    assert bottom < 0.0 < 3.0 < top


def test_points_that_are_all_the_same_have_a_plane_around_them(axes):
    plots.decision_boundary(model_of(lambda x, y: x), [[1.0, 1.0]] * 2, [0, 1], axes)
    assert axes.get_xlim() == (0.0, 2.0)


def test_a_predictor_is_asked_as_it_is(axes):
    model = MLP(2, [3, 2], seed=0)
    before = Predictor(model)
    plots.decision_boundary(before, POINTS, LABELS, axes)
    other = matplotlib.figure.Figure().subplots()
    plots.decision_boundary(model, POINTS, LABELS, other)
    for one, two in zip(axes.collections, other.collections, strict=True):
        assert [path.vertices.tolist() for path in one.get_paths()] == [
            path.vertices.tolist() for path in two.get_paths()
        ]


# ---- a confusion matrix, and images ----------------------------------------------------------------------------------


def test_a_confusion_matrix_has_its_numbers_row_by_row(axes):
    matrix = np.array([[5, 0, 1], [2, 4, 0], [0, 0, 6]])
    assert plots.confusion(matrix, axes) is axes
    found = {text.get_position(): text.get_text() for text in axes.texts}
    assert found == {(j, i): str(matrix[i, j]) for i in range(3) for j in range(3)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    for axis in (axes.xaxis, axes.yaxis):
        assert [label.get_text() for label in axis.get_ticklabels()] == ["0", "1", "2"]
    [image] = axes.images
    colors = np.asarray(image.get_array())
    assert (colors[~np.eye(3, dtype=bool) & (matrix == 0)] == 1.0).all()  # white: no mistake
    saturation = np.ptp(colors, axis=2)
    assert saturation[1, 0] > saturation[0, 2] > 0.0
    assert (colors[0, 0] == colors[1, 1]).all()


def test_classes_have_names(axes):
    plots.confusion(np.eye(2, dtype=int), axes, ["shirt", "boot"])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["shirt", "boot"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["shirt", "boot"]


def test_images_stand_side_by_side(axes):
    images = np.arange(3 * 49).reshape(3, 49) / (3 * 49)
    assert plots.plot_images(images, ["a", "b", "c"], axes) is axes
    [image] = axes.images
    pixels = np.asarray(image.get_array())
    assert pixels.shape == (7, 3 * 8)
    for i in range(3):
        assert pixels[:, 8 * i : 8 * i + 7].ravel().tolist() == images[i].tolist()
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
    assert [text.get_position()[0] for text in axes.texts] == [3.5, 11.5, 19.5]
    assert not axes.axison


def test_no_images_are_no_picture(axes):
    plots.plot_images(np.empty((0, 49)), [], axes)
    assert not axes.images
    assert not axes.axison


# ---- without axes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.plot_loss(history([0.5, 0.25])),
        lambda: history([0.5, 0.25]).plot(),
        lambda: plots.plot_curve(MLP(1, [1]), [0.0, 1.0], [0.0, 1.0]),
        lambda: plots.decision_boundary(MLP(2, [2], seed=0), POINTS, LABELS),
        lambda: plots.confusion(np.eye(2, dtype=int)),
        lambda: plots.plot_images(np.zeros((1, 4)), [""]),
    ],
)
def test_without_axes_there_is_a_new_figure_that_a_notebook_shows(draw):
    plt.switch_backend("agg")
    axes = draw()
    try:
        assert plt.gcf() is axes.figure
        assert len(axes.figure.axes) == 1
        axes.figure.canvas.draw()  # as the notebook does
    finally:
        plt.close(axes.figure)


def test_a_training_is_drawn_as_it_was(axes):
    found = fit(MLP(1, [1]), [0.0, 1.0], [1.0, 3.0], epochs=4, validation=([2.0], [5.0]))
    found.plot(axes)
    training, validation = axes.lines
    assert list(training.get_ydata()) == found.loss.tolist()
    assert list(validation.get_ydata()) == found.validation_loss.tolist()
