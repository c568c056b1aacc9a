// The graph as a picture. It follows the step: what the step changes is brought up to date, and nothing else.

/**
 * The picture of a graph in an <svg>, and its backdrop in another. `state` has the numbers, the timeline and the step;
 * `on` is told of what the user does with boxes: select(node), toggle(neuron), hover(node, element), leave().
 */
function makePicture(svg, backdrop, graph, state, on) {
  const neuronsOf = neuronsByNode(graph);
  const stage = makeStage(svg, backdrop, graph, refreshBox, (edge) => write(edge, 'class', phaseOfEdge(edge, state)));
  const view = makeView(showView);
  let drawn = { boxes: [], boxOf: [], edges: [], edgesInto: [] };
  let lit = []; // the boxes of this step
  let found = new Set();
  let current; // the box that the keyboard is at
  let selected = -1;

  function arrange(collapsed) {
    drawn = arrangeBoxes(graph, neuronsOf, collapsed);
    current = drawn.boxes[0];
    found = new Set();
    stage.clear();
    light();
    view.fit(drawn.bounds, true);
    if (lit.length) view.reveal(lit);
  }

  function showView() {
    const inView = view.inView();
    const boxes = drawn.boxes.filter((box) => box === current || inView(box));
    const shown = new Set(boxes);
    const edges = drawn.edges.filter((edge) => shown.has(edge.from) || shown.has(edge.to));
    stage.move(view);
    stage.show(boxes, edges, view.scale);
  }

  // ---- what state it is in -----------------------------------------------------------------------------------------

  function refreshBox(box) {
    write(box, 'class', lookOf(box));
    write(box, 'tabindex', box === current ? '0' : '-1');
    write(box, 'aria-label', spoken(graph, state, box));
    if (view.scale >= READABLE) writeTexts(graph, state, box);
    else if (view.scale >= NAMED) addTitle(graph, box);
  }

  function lookOf(box) {
    const look = [box.kind, phaseOfBox(box, state)];
    if (box === lit[0]) look.push(state.timeline.steps[state.step].kind === 'forward' ? 'now forward' : 'now backward');
    else if (lit.includes(box)) look.push('source');
    if (found.has(box)) look.push('found');
    if (drawn.boxOf[selected] === box) look.push('selected');
    return look.join(' ');
  }

  /** The boxes of this step: first the one whose number it makes, then the one that the number comes from. */
  function light() {
    const { kind, node, input } = state.timeline.steps[state.step];
    const nodes = { start: [], backward: [input, node] }[kind] ?? [node];
    lit = [...new Set(nodes.map((index) => drawn.boxOf[index]))];
    stage.setFlow(drawFlow(state.timeline.steps[state.step], drawn.edgesInto));
    setSpots();
  }

  const setSpots = () => stage.setSpots([...found], lit.slice(0, 1));

  /** Show the step of `state`, coming from another. */
  function show(before) {
    const left = lit;
    light();
    if (lit.length) view.reveal(lit);
    const last = state.timeline.steps.length - 1; // where boxes change that no step has reached, too
    const far = Math.abs(state.step - before) > SLICE || [before, state.step].includes(last);
    const changed = far ? stage.everything() : changedBetween(before, state.step);
    stage.update([...lit, ...left, ...changed]);
  }

  function changedBetween(a, b) {
    const { boxOf, edgesInto } = drawn;
    const changed = [];
    for (let i = Math.min(a, b) + 1; i <= Math.max(a, b); i++) {
      const { kind, node, input, place } = state.timeline.steps[i];
      if (kind === 'backward') changed.push(boxOf[input], edgesInto[node][place]);
      else if (kind === 'forward') changed.push(boxOf[node], ...edgesInto[node]);
      else changed.push(boxOf[node]);
    }
    return changed;
  }

  // ---- mouse and keyboard ------------------------------------------------------------------------------------------

  function visit(box) {
    const before = current;
    current = box;
    [before, box].forEach(stage.refresh);
  }

  function focus(box) {
    view.reveal([box]);
    box.shape.focus();
  }

  const boxAt = (event) => drawn.boxes[event.target.closest?.('[data-box]')?.dataset.box];
  const neuronAt = (box) => (box.neuron >= 0 ? box.neuron : neuronsOf[box.output][0]);
  const neighbours = (box) => [drawn.boxes[box.id - 1], drawn.boxes[box.id + 1]];
  listenToPointer(svg, boxAt, neuronAt, view, on);
  listenToKeyboard(svg, boxAt, { visit, focus, neighbours }, on);

  new ResizeObserver(([{ contentRect: { width, height } }]) => {
    const first = view.width === 1;
    Object.assign(view, { width, height });
    if (first) view.fit(drawn.bounds, true);
    else showView();
    if (lit.length) view.reveal(lit);
  }).observe(svg);

  // ---- what the page asks for --------------------------------------------------------------------------------------

  return {
    arrange,
    show,
    /** The numbers have changed. */
    refreshAll() {
      light();
      stage.update([...lit, ...stage.everything()]);
    },
    fit: () => view.fit(drawn.bounds),
    zoom: view.zoom,
    select(node) {
      const before = drawn.boxOf[selected];
      selected = node;
      [before, drawn.boxOf[node]].forEach(stage.refresh);
    },
    /** Mark the boxes of these nodes as found. */
    find(matches) {
      const before = found;
      found = new Set(matches.map((node) => drawn.boxOf[node]));
      setSpots();
      stage.update([...before, ...found]);
    },
    /** Move the view to a node, near enough to read it. */
    reveal(node) {
      if (view.scale < READABLE) view.zoom(START / view.scale);
      view.reveal([drawn.boxOf[node]]);
    },
    focus: (node) => focus(drawn.boxOf[node]),
    neuronOf: (node) => neuronsOf[node][0],
  };
}
