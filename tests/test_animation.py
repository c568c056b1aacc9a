"""Animations: which frames there are, and that the file holds them."""

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from nn import MLP, fit
from nn.history import History
from nn.plots import Animation
from nn.plots.animation import HELD

COLORS = ["red", "lime", "blue", "yellow", "cyan", "magenta", "black", "white"]
RGB = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (0, 0, 0), (255, 255, 255)]


def animation(every=1):
    """One whose frame after each epoch has a colour of its own."""
    figure = matplotlib.figure.Figure(figsize=(1.0, 0.5), dpi=40)
    axes = figure.add_axes((0, 0, 1, 1))

    def draw(history):
        axes.set_axis_off()
        axes.fill_between([0, 1], 0, 1, color=COLORS[history.epochs % len(COLORS)])
        axes.set(xlim=(0.2, 0.8), ylim=(0.2, 0.8))

    return Animation(figure, draw, every)


def train(epochs, *callbacks):
    return fit(MLP(1, [1], seed=0), [0.0, 1.0], [1.0, 3.0], epochs=epochs, callbacks=callbacks)


def read(path):
    """The colour of each frame of a file, its size, and for how many milliseconds it is shown."""
    with Image.open(path) as image:
        assert image.info["loop"] == 0
        found = []
        for i in range(image.n_frames):
            image.seek(i)
            [(_, color)] = image.convert("RGB").getcolors()
            found.append((color, image.size, image.info["duration"]))
    return found


@pytest.mark.parametrize(("epochs", "every", "expected"), [(4, 1, [1, 2, 3, 4]), (7, 3, [3, 6]), (2, 3, [])])
def test_there_is_a_frame_after_every_so_many_epochs(epochs, every, expected):
    callback = animation(every)
    train(epochs, callback)
    assert [frame.getpixel((5, 5)) for frame in callback.frames] == [RGB[i] for i in expected]


def test_the_file_holds_the_frames_and_the_last_one_longest(tmp_path):
    callback = animation()
    callback.add(History())
    train(5, callback)
    callback.save(tmp_path / "a.gif")
    found = read(tmp_path / "a.gif")
    assert [color for color, *_ in found] == RGB[:6]
    assert {size for _, size, _ in found} == {(40, 20)}
    durations = [duration for *_, duration in found]
    assert len(set(durations[:-1])) == 1
    assert durations[-1] == 1000 * HELD > durations[0]


def test_a_white_background_stays_white(tmp_path):
    """A palette of 256 means of colours has none that is quite white."""
    rng = np.random.default_rng(0)
    figure = matplotlib.figure.Figure(figsize=(3.0, 2.0), dpi=50)
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    callback = Animation(figure, lambda history: axes.imshow(rng.uniform(0.9, 1.0, (30, 40, 3))))
    train(2, callback)
    callback.save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        assert [image.seek(i) or image.convert("RGB").getpixel((1, 1)) for i in range(2)] == [(255, 255, 255)] * 2


@pytest.mark.parametrize("every", [0, -1, 1.5, None])
def test_there_is_a_frame_after_a_positive_number_of_epochs(every):
    with pytest.raises(ValueError, match="every must be a whole number of at least 1"):
        animation(every)


def test_a_frame_that_is_as_the_one_before_it_makes_that_longer(tmp_path):
    callback = animation()
    last = train(2, callback)
    callback.add(last)
    callback.save(tmp_path / "a.gif")
    assert [color for color, *_ in read(tmp_path / "a.gif")] == RGB[1:3]


def test_one_frame_is_an_animation(tmp_path):
    callback = animation()
    callback.add(History())
    callback.save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.convert("RGB").getpixel((5, 5))) == (1, RGB[0])


def test_an_animation_without_frames_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs a frame at least"):
        animation().save(tmp_path / "a.gif")
    assert not list(tmp_path.iterdir())


def test_what_was_drawn_before_is_gone():
    figure = matplotlib.figure.Figure()
    axes = figure.subplots()
    callback = Animation(figure, lambda history: axes.plot([0, 1], [0, 1]))
    train(3, callback)
    assert len(axes.lines) == 1
    assert len(callback.frames) == 3


def test_the_canvas_that_shows_the_figure_is_left():
    figure = matplotlib.figure.Figure()
    before = figure.canvas
    Animation(figure, lambda history: None).add(History())
    assert figure.canvas is before


def test_a_training_goes_on_as_without_it():
    assert train(5, animation()).loss.tolist() == train(5).loss.tolist()


def test_an_interrupted_frame_is_none():
    callback = animation()
    draw = callback.draw

    def interrupted(history):
        if history.epochs == 3:
            raise KeyboardInterrupt
        draw(history)

    callback.draw = interrupted
    history = train(5, callback)
    assert (history.interrupted, history.epochs) == (True, 3)
    assert len(callback.frames) == 2


def test_axes_stay_where_the_first_frame_of_the_training_has_put_them():
    figure = matplotlib.figure.Figure(layout="constrained")
    axes = figure.subplots()
    places = []

    def draw(history):
        places.append(axes.get_position().bounds)
        axes.set_ylabel("\n" * history.epochs + "y")

    train(4, Animation(figure, draw))
    assert np.ptp(places[1:], axis=0).tolist() == [0.0] * 4
    assert places[0] != places[1]
