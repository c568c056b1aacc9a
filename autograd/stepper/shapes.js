// A box and an edge in SVG, how far the passes have come with them, and what moves along the edges of a step.

const SVG = 'http://www.w3.org/2000/svg';

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function drawBox(graph, box) {
  const { width, height } = box.size;
  const { leaf } = graph.nodes[box.output];
  box.kind = box.neuron >= 0 ? 'box neuron' : leaf ? 'box leaf' : 'box';
  const shape = draw('g', { role: 'button', tabindex: '-1', 'data-box': box.id });
  // A transform would be simpler, but thousands of them take the browser long to paint.
  shape.append(draw('rect', { x: round(box.left), y: round(box.top), width, height, rx: leaf ? 16 : 7 }));
  return shape;
}

const drawEdge = (edge) => draw('path', { d: edge.line });

/** The gradient that stands in a box is its output's, but a neuron is complete only when its parameters are, too. */
function isComplete({ members }, { timeline, step }) {
  return members.every((node) => step >= (timeline.into[node].at(-1) ?? 0));
}

function phaseOfBox(box, state) {
  const { timeline, step } = state;
  const into = timeline.into[box.output];
  if (step < timeline.computed[box.output]) return 'waiting';
  if (into.length === 0 || step < into[0]) return 'computed';
  return isComplete(box, state) ? 'complete' : 'partial';
}

function phaseOfEdge(edge, { timeline, step }) {
  const phase = edge.long ? ['edge long'] : ['edge'];
  if (edge.parts.every(([node]) => step >= timeline.computed[node])) phase.push('computed');
  if (edge.parts.every(([node, place]) => step >= (timeline.stepOf[node][place] ?? Infinity))) phase.push('complete');
  return phase.join(' ');
}

/** Write an attribute of a shape, which costs time even where nothing changes. */
function write(item, name, value) {
  item.written ??= {};
  if (item.written[name] !== value) item.shape.setAttribute(name, (item.written[name] = value));
}

/** The edges that a step uses, and on the way back the factor that it multiplies by. */
function drawFlow(step, edgesInto) {
  const flowing = (edge) => draw('path', { d: edge.line, class: edge.long ? `${step.kind} long` : step.kind });
  if (step.kind === 'forward') return [...new Set(edgesInto[step.node].filter((edge) => edge))].map(flowing);
  const edge = step.kind === 'backward' ? edgesInto[step.node][step.place] : undefined;
  return edge ? [flowing(edge), ...drawFactor(step.local, edge.from)] : [];
}

/** Above the box that it flows to, in the gap between the rows, where no other box can be. */
function drawFactor(local, { right, top }) {
  const text = `× ${digits(Number(local.toPrecision(4)))}`;
  const width = 7 * text.length + 12;
  const x = right + COLUMN_GAP - 6 - width;
  return [
    draw('rect', { class: 'factor', x, y: top - 23, width, height: 18, rx: 9 }),
    draw('text', { class: 'factor', x: x + width / 2, y: top - 10 }, text),
  ];
}
