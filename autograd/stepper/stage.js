// What of the picture is in the document: only what is in view, so that a graph of thousands of nodes is as quick as a
// small one.

const MOST_LINES = 300; // if more edges are in view, they are one grey path that does not show their states
const SLICE = 200; // how many boxes and edges are brought up to date before the browser gets to paint

/**
 * The layers of the picture in an <svg>, and its backdrop in another, which is painted by itself. refreshBox and
 * refreshEdge bring what is in the document up to date.
 */
function makeStage(svg, backdrop, graph, refreshBox, refreshEdge) {
  const world = svg.appendChild(draw('g'));
  const lines = backdrop.appendChild(draw('path'));
  const edgeLayer = world.appendChild(draw('g', { class: 'edges' }));
  const boxLayer = world.appendChild(draw('g', { class: 'boxes' }));
  const flowLayer = world.appendChild(draw('g', { class: 'flow', 'aria-hidden': 'true' }));
  const spotLayer = world.appendChild(draw('g', { 'aria-hidden': 'true' }));
  const [foundSpot, nowSpot, nowHole] = ['found', 'now', 'now hole'].map((kind) =>
    spotLayer.appendChild(draw('path', { class: `spot ${kind}` })),
  );
  let boxes = new Set();
  let edges = new Set();
  let pending = new Set(); // of these, those that are not up to date
  let level = 'near';

  function clear() {
    for (const layer of [edgeLayer, boxLayer]) layer.replaceChildren();
    [boxes, edges, pending] = [new Set(), new Set(), new Set()];
  }

  function move({ x, y, scale }) {
    const transform = `translate(${round(x)} ${round(y)}) scale(${scale})`;
    for (const layer of [world, lines]) layer.setAttribute('transform', transform);
  }

  /** Put into the document what has come into view, and take out what has left it. */
  function show(boxesInView, edgesInView, scale) {
    const turned = setLevel(scale >= READABLE ? 'near' : scale >= NAMED ? 'names' : 'far');
    const before = new Set([...boxes, ...edges]);
    boxes = exchange(boxLayer, boxes, boxesInView, (box) => drawBox(graph, box));
    const many = edgesInView.length > MOST_LINES;
    svg.classList.toggle('many', many);
    edges = exchange(edgeLayer, edges, many ? [] : edgesInView, drawEdge);
    lines.setAttribute('d', many ? edgesInView.map((edge) => edge.line).join('') : '');
    for (const item of [...boxes, ...edges]) if (turned || !before.has(item)) refresh(item);
  }

  /** How much of a box is shown: everything, its name, or nothing. Whether that is new. */
  function setLevel(wanted) {
    if (level === wanted) return false;
    svg.classList.remove(level);
    svg.classList.add(wanted);
    level = wanted;
    return true;
  }

  function exchange(layer, before, wanted, drawn) {
    const after = new Set(wanted);
    for (const item of before) if (!after.has(item)) item.shape.remove();
    const fresh = wanted.filter((item) => !before.has(item));
    layer.append(...fresh.map((item) => (item.shape ??= drawn(item))));
    return after;
  }

  function refresh(item) {
    if (boxes.has(item)) refreshBox(item);
    else if (edges.has(item)) refreshEdge(item);
  }

  /** Bring things up to date: a few at once, many while the browser goes on painting. */
  function update(items) {
    for (const item of items) pending.add(item);
    const slice = [...pending].slice(0, SLICE);
    for (const item of slice) {
      pending.delete(item);
      refresh(item);
    }
    if (pending.size) requestAnimationFrame(() => update([]));
  }

  const setFlow = (shapes) => flowLayer.replaceChildren(...shapes);

  /** Dots at boxes: a line of no length has ends, whose size does not depend on the zoom. CSS shows them from afar. */
  function setSpots(found, now) {
    const dots = (list) => list.map(({ x, y }) => `M${round(x)} ${round(y)}h0`).join('');
    foundSpot.setAttribute('d', dots(found));
    for (const part of [nowSpot, nowHole]) part.setAttribute('d', dots(now));
  }

  return { clear, move, show, refresh, update, setFlow, setSpots, everything: () => [...boxes, ...edges] };
}
