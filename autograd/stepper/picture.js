// The graph as a picture: boxes and edges in SVG, what state they are in, zoom and pan. Only what is in view is in the
// document, and a step touches only what it changes there: so a graph of thousands of nodes is as quick as a small one.

const SVG = 'http://www.w3.org/2000/svg';
const NODE = { width: 148, height: 66 };
const NEURON = { width: 152, height: 82 };
const READABLE = 0.45; // the least zoom at which texts are shown
const LEAST_START = 0.58; // the least zoom at which a graph is shown at first
const CLOSEST = 2.5;
const MOST_LINES = 300; // if more edges are in view, they are one grey path that does not show their states
const LONG = 2000; // longer edges have no dashes, which take long to paint
const SLICE = 200; // how many boxes and edges are brought up to date before the browser gets to paint

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/**
 * The picture of a graph in an <svg>, and its backdrop in another, which is painted by itself. `state` has the numbers,
 * the timeline and the step; `on` is told of what the user does with boxes: select(node), toggle(neuron),
 * hover(node, element), leave().
 */
function makePicture(svg, backdrop, graph, state, on) {
  const { nodes } = graph;
  const world = svg.appendChild(draw('g'));
  const lines = backdrop.appendChild(draw('path'));
  const edgeLayer = world.appendChild(draw('g', { class: 'edges' }));
  const boxLayer = world.appendChild(draw('g', { class: 'boxes' }));
  const flowLayer = world.appendChild(draw('g', { class: 'flow', 'aria-hidden': 'true' }));
  const neuronsOf = nodes.map(() => []);
  graph.neurons.forEach((neuron, i) => {
    for (const node of [...neuron.nodes, ...neuron.parameters]) neuronsOf[node].push(i);
  });
  let boxes = [];
  let edges = [];
  let boxOf = []; // the box that shows a node
  let edgesInto = []; // for each node, by the place of its operand
  let view = { x: 0, y: 0, scale: 1 };
  let bounds = { left: 0, top: 0, width: 1, height: 1 };
  let shownBoxes = new Set(); // those in the document
  let shownEdges = new Set();
  let pending = new Set(); // of these, those that are not up to date
  let found = new Set();
  let lit = []; // the boxes of this step
  let current; // the box that the keyboard is at
  let byKeyboard = false; // whether the keyboard, not a click, went there
  let selected = -1;

  // ---- what is drawn -----------------------------------------------------------------------------------------------

  /** Draw the graph with the neurons of a set as one box each. */
  function arrange(collapsed) {
    boxes = [];
    boxOf = nodes.map(() => undefined);
    const neuronBox = new Map();
    const addBox = (members, neuron) => {
      const box = { members, neuron, output: members[0], size: neuron < 0 ? NODE : NEURON, id: boxes.length };
      boxes.push(box);
      return box;
    };
    // A neuron's box takes the place of its output, so that every box comes after its inputs.
    const ends = new Map([...collapsed].map((i) => [graph.neurons[i].nodes.at(-1), i]));
    const inside = new Set([...collapsed].flatMap((i) => graph.neurons[i].nodes));
    for (const { index } of nodes) {
      if (ends.has(index)) {
        const neuron = ends.get(index);
        const box = addBox([index], neuron);
        box.members = [index, ...graph.neurons[neuron].nodes.slice(0, -1)];
        for (const node of box.members) boxOf[node] = box;
        neuronBox.set(neuron, box);
      } else if (!inside.has(index) && !isHidden(index, collapsed)) {
        boxOf[index] = addBox([index], -1);
      }
    }
    for (const { index } of nodes) {
      if (boxOf[index]) continue; // what is left are the parameters of collapsed neurons
      boxOf[index] = neuronBox.get(neuronsOf[index][0]);
      boxOf[index].members.push(index);
    }
    collectEdges(collapsed);
    const { boxes: places, routes } = layOut(
      boxes.map((box) => box.size),
      edges.map(({ from, to, port }) => ({ from: from.id, to: to.id, port })),
    );
    boxes.forEach((box, i) => {
      const { x, y } = places[i];
      const [dx, dy] = [box.size.width / 2, box.size.height / 2];
      Object.assign(box, { x, y, left: x - dx, right: x + dx, top: y - dy, bottom: y + dy });
    });
    edges.forEach((edge, i) => Object.assign(edge, curve(edge, routes[i])));
    bounds = extent();
    current = boxes[0];
    pending.clear();
    for (const layer of [edgeLayer, boxLayer]) layer.replaceChildren();
    [shownBoxes, shownEdges] = [new Set(), new Set()];
    lit = litBy(state.step);
    drawFlow();
  }

  const isHidden = (node, collapsed) =>
    nodes[node].leaf && neuronsOf[node].length > 0 && neuronsOf[node].every((i) => collapsed.has(i));

  function collectEdges(collapsed) {
    edges = [];
    edgesInto = nodes.map((node) => node.inputs.map(() => undefined));
    const joined = new Map();
    for (const node of nodes) {
      const operands = node.inputs.filter((x) => x >= 0).length;
      let count = 0;
      node.inputs.forEach((input, place) => {
        if (input < 0) return;
        count++;
        const [from, to] = [boxOf[input], boxOf[node.index]];
        if (from === to || isHidden(input, collapsed)) return;
        const joins = from.neuron >= 0 || to.neuron >= 0; // into or out of a neuron, one line stands for several
        const key = `${from.id} ${to.id}`;
        let edge = joins ? joined.get(key) : undefined;
        if (!edge) {
          edge = { from, to, port: to.neuron >= 0 ? 0.5 : count / (operands + 1), parts: [] };
          edges.push(edge);
          if (joins) joined.set(key, edge);
        }
        edge.parts.push([node.index, place]);
        edgesInto[node.index][place] = edge;
      });
    }
    // The lines into a neuron are spread over its side.
    const into = new Map();
    for (const edge of joined.values()) {
      if (edge.to.neuron < 0) continue;
      if (!into.has(edge.to)) into.set(edge.to, []);
      into.get(edge.to).push(edge);
    }
    for (const list of into.values()) list.forEach((edge, i) => (edge.port = (i + 1) / (list.length + 1)));
  }

  function curve({ from, to, port }, route) {
    const end = { x: to.x - to.size.width / 2 - 1, y: to.y + to.size.height * (port - 0.5) };
    const points = [{ x: from.x + from.size.width / 2, y: from.y }, ...route, end];
    let line = `M${round(points[0].x)} ${round(points[0].y)}`;
    for (let i = 1; i < points.length; i++) {
      const [a, b] = [points[i - 1], points[i]];
      const bend = Math.max(24, (b.x - a.x) / 2);
      line += `C${round(a.x + bend)} ${round(a.y)} ${round(b.x - bend)} ${round(b.y)} ${round(b.x)} ${round(b.y)}`;
    }
    const half = points.length >> 1;
    const middle = { x: (points[half - 1].x + points[half].x) / 2, y: (points[half - 1].y + points[half].y) / 2 };
    return { line, middle, long: Math.max(Math.abs(end.x - points[0].x), Math.abs(end.y - points[0].y)) > LONG };
  }

  const round = (x) => Math.round(x * 10) / 10;

  function extent() {
    const reduce = (side, choose) => boxes.reduce((found, box) => choose(found, box[side]), boxes[0][side]);
    const [left, top] = [reduce('left', Math.min), reduce('top', Math.min)];
    return { left, top, width: reduce('right', Math.max) - left, height: reduce('bottom', Math.max) - top };
  }

  function drawBox(box) {
    const { width, height } = box.size;
    const leaf = nodes[box.output].leaf;
    box.kind = box.neuron >= 0 ? 'box neuron' : leaf ? 'box leaf' : 'box';
    box.look = '';
    const shape = draw('g', { role: 'button', tabindex: box === current ? '0' : '-1', 'data-box': box.id });
    // A transform would be simpler, but thousands of them take the browser long to paint.
    shape.append(draw('rect', { x: round(box.left), y: round(box.top), width, height, rx: leaf ? 16 : 7 }));
    return shape;
  }

  function drawEdge(edge) {
    edge.look = '';
    return draw('path', { d: edge.line });
  }

  // ---- what state it is in -----------------------------------------------------------------------------------------

  function lookOf(box) {
    const { timeline, step } = state;
    const into = timeline.into[box.output];
    const look = [box.kind];
    if (step < timeline.computed[box.output]) look.push('waiting');
    else if (into.length === 0 || step < into[0]) look.push('computed');
    else look.push(step < into.at(-1) ? 'partial' : 'complete');
    if (box === lit[0]) look.push(timeline.steps[step].kind === 'forward' ? 'now forward' : 'now backward');
    else if (lit.includes(box)) look.push('source');
    if (found.has(box)) look.push('found');
    if (boxOf[selected] === box) look.push('selected');
    return look.join(' ');
  }

  function refresh(item) {
    if (shownBoxes.has(item)) refreshBox(item);
    else if (shownEdges.has(item)) refreshEdge(item);
  }

  function refreshBox(box) {
    const look = lookOf(box);
    if (look !== box.look) box.shape.setAttribute('class', (box.look = look));
    if (view.scale >= READABLE) writeTexts(box);
    if (box === current) box.shape.setAttribute('aria-label', spoken(box));
  }

  function refreshEdge(edge) {
    const { timeline, step } = state;
    let look = edge.long ? 'edge long' : 'edge';
    if (edge.parts.every(([node]) => step >= timeline.computed[node])) look += ' computed';
    if (edge.parts.every(([node, place]) => step >= contributionOf(node, place))) look += ' complete';
    if (look !== edge.look) edge.shape.setAttribute('class', (edge.look = look));
  }

  function contributionOf(node, place) {
    return state.timeline.stepOf[node][place] ?? Infinity;
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

  function refreshAll() {
    lit = litBy(state.step);
    drawFlow();
    update([...lit, ...shownBoxes, ...shownEdges]);
  }

  /** Show the step of `state`, coming from another. */
  function show(before) {
    const left = lit;
    lit = litBy(state.step);
    if (lit.length) reveal(lit);
    drawFlow();
    const far = Math.abs(state.step - before) > SLICE;
    const changed = far ? [...shownBoxes, ...shownEdges] : changedBetween(before, state.step);
    update([...lit, ...left, ...changed]);
  }

  function changedBetween(a, b) {
    const changed = [];
    for (let i = Math.min(a, b) + 1; i <= Math.max(a, b); i++) {
      const { kind, node, input, place } = state.timeline.steps[i];
      if (kind === 'backward') changed.push(boxOf[input], edgesInto[node][place]);
      else if (kind === 'forward') changed.push(boxOf[node], ...edgesInto[node]);
      else changed.push(boxOf[node]);
    }
    return changed;
  }

  /** The boxes of a step: first the one whose number it makes, then the one that the number comes from. */
  function litBy(index) {
    const step = state.timeline.steps[index];
    if (step.kind === 'start') return [];
    return step.kind === 'backward' ? [...new Set([boxOf[step.input], boxOf[step.node]])] : [boxOf[step.node]];
  }

  const drawFlowing = (edge, pass) => draw('path', { d: edge.line, class: edge.long ? `${pass} long` : pass });

  function drawFlow() {
    const step = state.timeline.steps[state.step];
    flowLayer.replaceChildren();
    if (step.kind === 'forward') {
      const used = new Set(edgesInto[step.node].filter((edge) => edge));
      for (const edge of used) flowLayer.append(drawFlowing(edge, 'forward'));
    } else if (step.kind === 'backward') {
      const edge = edgesInto[step.node][step.place];
      if (!edge) return;
      const { middle } = edge;
      flowLayer.append(drawFlowing(edge, 'backward'));
      const text = `× ${digits(Number(step.local.toPrecision(4)))}`;
      const width = 7 * text.length + 12;
      flowLayer.append(
        draw('rect', { class: 'factor', x: middle.x - width / 2, y: middle.y - 35, width, height: 22, rx: 11 }),
        draw('text', { class: 'factor', x: middle.x, y: middle.y - 20 }, text),
      );
    }
  }

  // ---- texts -------------------------------------------------------------------------------------------------------

  function writeTexts(box) {
    if (!box.texts) addTexts(box);
    const { texts, output } = box;
    const { timeline, numbers, step } = state;
    const gradient = gradientAt(timeline, output, step);
    const into = timeline.into[output];
    set(texts.data, step < timeline.computed[output] ? 'not yet' : digits(numbers.data[output]));
    set(texts.gradient, gradient === undefined ? 'no gradient yet' : digits(gradient));
    texts.gradient.classList.toggle('none', gradient === undefined);
    texts.data.classList.toggle('none', step < timeline.computed[output]);
    set(texts.label, gradient === undefined ? '' : 'grad');
    texts.gradient.setAttribute('x', round(box.right) - (gradient === undefined ? 8 : 20));
    set(texts.mark, gradient === undefined ? '' : step < into.at(-1) ? '+' : '✓');
  }

  function set(text, content) {
    if (text.textContent !== content) text.textContent = content;
  }

  function addTexts(box) {
    const { width, height } = box.size;
    const node = nodes[box.output];
    const neuron = graph.neurons[box.neuron];
    const [left, top] = [round(box.left), round(box.top)];
    const text = (role, x, y, content = '') => draw('text', { class: role, x: left + x, y: top + y }, content);
    const sign = neuron ? '' : shorten(node.label ?? '', Math.max(7, 13 - node.name.length));
    const room = neuron ? 19 : 15 - sign.length;
    box.texts = {
      name: text('name', 9, 18),
      sign: text('sign', width - 9, 18, sign),
      dataLabel: text('label', 9, height - 26, 'data'),
      data: text('number', width - 20, height - 26),
      label: text('label', 9, height - 9, 'grad'),
      gradient: text('number gradient', width - 20, height - 9),
      mark: text('mark', width - 7, height - 9),
    };
    const [base, index] = splitName(shortenName(neuron ? neuron.label : node.name, room));
    box.texts.name.append(base);
    if (index) box.texts.name.append(draw('tspan', { class: 'index', dy: 3 }, index));
    if (neuron) {
      const count = neuron.parameters.length;
      box.texts.size = text('label', 9, 33, `neuron · ${count} parameter${count === 1 ? '' : 's'}`);
    }
    const y = top + height - 41.5;
    box.texts.rule = draw('line', { class: 'rule', x1: left, x2: left + width, y1: y, y2: y });
    box.shape.append(...Object.values(box.texts));
  }

  const shorten = (text, room) => (text.length <= room ? text : `${text.slice(0, room - 1)}…`);

  /** Put into the document what has come into view, and take out what has left it. */
  function updateView() {
    const far = view.scale < READABLE;
    const turned = svg.classList.contains('far') !== far;
    svg.classList.toggle('far', far);
    const [left, top] = [-view.x / view.scale, -view.y / view.scale];
    const [right, bottom] = [left + size.width / view.scale, top + size.height / view.scale];
    const inView = (box) => box.right >= left && box.left <= right && box.bottom >= top && box.top <= bottom;
    const before = new Set([...shownBoxes, ...shownEdges]);
    shownBoxes = exchange(boxLayer, shownBoxes, boxes.filter((box) => box === current || inView(box)), drawBox);
    const near = edges.filter((edge) => shownBoxes.has(edge.from) || shownBoxes.has(edge.to));
    const many = near.length > MOST_LINES;
    svg.classList.toggle('many', many);
    shownEdges = exchange(edgeLayer, shownEdges, many ? [] : near, drawEdge);
    lines.setAttribute('d', many ? near.map((edge) => edge.line).join('') : '');
    for (const item of [...shownBoxes, ...shownEdges]) if (turned || !before.has(item)) refresh(item);
  }

  function exchange(layer, before, wanted, drawn) {
    const after = new Set(wanted);
    for (const item of before) if (!after.has(item)) item.shape.remove();
    const fresh = wanted.filter((item) => !before.has(item));
    layer.append(...fresh.map((item) => (item.shape ??= drawn(item))));
    return after;
  }

  /** A box in words, for screen readers. */
  function spoken(box) {
    const node = nodes[box.output];
    const { timeline, numbers, step } = state;
    const gradient = gradientAt(timeline, box.output, step);
    const kind = node.leaf ? 'leaf' : node.op;
    const what = box.neuron >= 0 ? `neuron ${graph.neurons[box.neuron].label}` : `${node.name}, ${kind}`;
    const data = step < timeline.computed[box.output] ? 'not computed yet' : `data ${digits(numbers.data[box.output])}`;
    return `${what}, ${data}, ${gradient === undefined ? 'no gradient yet' : `gradient ${digits(gradient)}`}`;
  }

  // ---- zoom and pan ------------------------------------------------------------------------------------------------

  let size = { width: 1, height: 1 };

  function look(x, y, scale) {
    view = { x, y, scale };
    const transform = `translate(${round(x)} ${round(y)}) scale(${scale})`;
    for (const layer of [world, lines]) layer.setAttribute('transform', transform);
    updateView();
  }

  /** The whole graph; at first not so small that it cannot be read: then its left end. */
  function fit(least = 0) {
    const { width, height } = size;
    const margin = 28;
    const whole = Math.min((width - 2 * margin) / bounds.width, (height - 2 * margin - 24) / bounds.height, 1.25);
    const scale = Math.max(whole, least, 0.005);
    const space = width - bounds.width * scale;
    const x = (space > 0 ? space / 2 : margin) - bounds.left * scale;
    look(x, (height - 24 - bounds.height * scale) / 2 - bounds.top * scale, scale);
  }

  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const scale = Math.min(CLOSEST, Math.max(0.005, view.scale * factor));
    const ratio = scale / view.scale;
    look(x - (x - view.x) * ratio, y - (y - view.y) * ratio, scale);
  }

  /** Move the view, if it must, so that boxes are in it: the first of them, if there is no room for all. */
  function reveal(wanted) {
    const { width, height } = size;
    const margin = 14;
    const need = (list) => {
      const left = Math.min(...list.map((box) => box.left)) * view.scale + view.x - margin;
      const right = Math.max(...list.map((box) => box.right)) * view.scale + view.x + margin;
      const top = Math.min(...list.map((box) => box.top)) * view.scale + view.y - margin;
      const bottom = Math.max(...list.map((box) => box.bottom)) * view.scale + view.y + margin + 24;
      return { left, right, top, bottom, fits: right - left <= width && bottom - top <= height };
    };
    const all = need(wanted);
    const { left, right, top, bottom } = all.fits ? all : need([wanted[0]]);
    if (left >= 0 && right <= width && top >= 0 && bottom <= height) return;
    look(view.x + width / 2 - (left + right) / 2, view.y + height / 2 - (top + bottom) / 2, view.scale);
  }

  // ---- mouse and keyboard ------------------------------------------------------------------------------------------

  const boxAt = (event) => boxes[event.target.closest?.('[data-box]')?.dataset.box];

  function focusBox(box) {
    current.shape?.setAttribute('tabindex', '-1');
    current = box;
    box.shape.setAttribute('tabindex', '0');
    box.shape.setAttribute('aria-label', spoken(box));
  }

  function focus(box) {
    reveal([box]);
    box.shape.focus();
  }

  let drag;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button === 0) drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  svg.addEventListener('pointermove', (event) => {
    if (!drag || !(event.buttons & 1)) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) svg.setPointerCapture(event.pointerId);
    svg.classList.add('dragged');
    drag = { x: event.clientX, y: event.clientY, moved: true };
    on.leave();
    look(view.x + dx, view.y + dy, view.scale);
  });
  svg.addEventListener('pointerup', () => svg.classList.remove('dragged'));
  svg.addEventListener('pointercancel', () => svg.classList.remove('dragged'));
  svg.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { left, top } = svg.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
    },
    { passive: false },
  );
  svg.addEventListener('click', (event) => {
    const box = boxAt(event);
    if (!drag?.moved) on.select(box ? box.output : -1);
    drag = undefined; // the click that ends a drag is none, but the next may come without a pointer
  });
  svg.addEventListener('dblclick', (event) => {
    const box = boxAt(event);
    if (box) on.toggle(box.neuron >= 0 ? box.neuron : neuronsOf[box.output][0]);
  });
  svg.addEventListener('pointerover', (event) => {
    const box = boxAt(event);
    if (box && !event.buttons) on.hover(box.output, box.shape);
    else on.leave();
  });
  svg.addEventListener('pointerleave', () => on.leave());
  svg.addEventListener('focusin', (event) => {
    const box = boxAt(event);
    if (!box) return;
    focusBox(box);
    byKeyboard = box.shape.matches(':focus-visible'); // asked now: after a click, the next key would make it true
    if (byKeyboard) on.hover(box.output, box.shape);
  });
  svg.addEventListener('focusout', () => on.leave());
  svg.addEventListener('keydown', (event) => {
    const box = boxAt(event);
    if (!box) return;
    const next = { ArrowUp: boxes[box.id - 1], ArrowDown: boxes[box.id + 1] }[event.key];
    // The space bar presses a box that the keyboard went to, as any button; after a click it plays.
    const presses = event.key === 'Enter' || (event.key === ' ' && byKeyboard);
    if (next) focus(next);
    else if (event.key === 'Enter' && box.neuron >= 0) on.toggle(box.neuron);
    else if (presses) on.select(box.output);
    else if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
  });
  new ResizeObserver(([entry]) => {
    const first = size.width === 1;
    size = { width: entry.contentRect.width, height: entry.contentRect.height };
    if (first) fit(LEAST_START);
    else updateView();
    if (lit.length) reveal(lit);
  }).observe(svg);

  // ---- what the page asks for --------------------------------------------------------------------------------------

  return {
    arrange(collapsed) {
      arrange(collapsed);
      fit(LEAST_START);
      if (lit.length) reveal(lit);
    },
    show,
    refreshAll,
    fit: () => fit(),
    zoom,
    select(node) {
      const before = boxOf[selected];
      selected = node;
      [before, boxOf[node]].forEach(refresh);
    },
    /** Mark the boxes of these nodes as found. */
    find(matches) {
      const before = found;
      found = new Set(matches.map((node) => boxOf[node]));
      update([...before, ...found]);
    },
    /** Move the view to a node, near enough to read it. */
    reveal(node) {
      if (view.scale < READABLE) zoom(LEAST_START / view.scale);
      reveal([boxOf[node]]);
    },
    focus: (node) => focus(boxOf[node]),
    neuronOf: (node) => neuronsOf[node][0],
  };
}
