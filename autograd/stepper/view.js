// From where the picture is looked at: zoom, pan, fit, and the way to what has to be seen.

const READABLE = 0.6; // the least zoom at which all texts are shown: the smallest is 11 pixels high
const NAMED = 0.27; // the least zoom at which names are shown
const START = 0.7; // the least zoom at which a graph is shown at first
const [FARTHEST, CLOSEST] = [0.0005, 2.5];

/** The view: a point x of the picture is at x · scale + view.x, and y likewise. Calls `moved` after every move. */
function makeView(moved) {
  const view = { x: 0, y: 0, scale: 1, width: 1, height: 1, pan, zoom, fit, reveal, inView };

  function look(x, y, scale) {
    Object.assign(view, { x, y, scale });
    moved();
  }

  function pan(dx, dy) {
    look(view.x + dx, view.y + dy, view.scale);
  }

  /** Zoom around a point of the screen. */
  function zoom(factor, x = view.width / 2, y = view.height / 2) {
    const scale = Math.min(CLOSEST, Math.max(FARTHEST, view.scale * factor));
    const ratio = scale / view.scale;
    look(x - (x - view.x) * ratio, y - (y - view.y) * ratio, scale);
  }

  /** The whole picture. At first only if it can be read then, else its left end. */
  function fit(bounds, first = false) {
    const { width, height } = view;
    const margin = 16;
    const whole = Math.min((width - 2 * margin) / bounds.width, (height - 2 * margin) / bounds.height, 1.25);
    const scale = Math.max(whole, first ? START : FARTHEST);
    const space = width - bounds.width * scale;
    const x = (space > 0 ? space / 2 : margin) - bounds.left * scale;
    look(x, (height - bounds.height * scale) / 2 - bounds.top * scale, scale);
  }

  /** Move, if need be, so that boxes are in view: the first of them, if there is no room for all. */
  function reveal(boxes) {
    const { width, height } = view;
    const all = onScreen(boxes);
    const fits = all.right - all.left <= width && all.bottom - all.top <= height;
    const { left, right, top, bottom } = fits ? all : onScreen([boxes[0]]);
    if (left >= 0 && right <= width && top >= 0 && bottom <= height) return;
    pan(width / 2 - (left + right) / 2, height / 2 - (top + bottom) / 2);
  }

  function onScreen(boxes) {
    const margin = 14;
    return {
      left: Math.min(...boxes.map((box) => box.left)) * view.scale + view.x - margin,
      right: Math.max(...boxes.map((box) => box.right)) * view.scale + view.x + margin,
      top: (Math.min(...boxes.map((box) => box.top)) - ROW_GAP) * view.scale + view.y - margin,
      bottom: Math.max(...boxes.map((box) => box.bottom)) * view.scale + view.y + margin,
    };
  }

  /** A test for boxes. */
  function inView() {
    const [left, top] = [-view.x / view.scale, -view.y / view.scale];
    const [right, bottom] = [left + view.width / view.scale, top + view.height / view.scale];
    return (box) => box.right >= left && box.left <= right && box.bottom >= top && box.top <= bottom;
  }

  return view;
}
