// What stands in a box: its name and its numbers, its name alone where it is small, and all of it in words.

/** The name and numbers of a box: the parts of a single text, as the browser takes long to lay out many. */
function addTexts(graph, box) {
  const { width, height } = box.size;
  const node = graph.nodes[box.output];
  const neuron = graph.neurons[box.neuron];
  const [left, top] = [round(box.left), round(box.top)];
  const part = (role, x, y, content = '') => draw('tspan', { class: role, x: left + x, y: top + y }, content);
  const sign = neuron ? '' : shorten(node.label ?? '', Math.max(7, 13 - node.name.length));
  const y = top + height - 41.5;
  box.texts = {
    name: part('name', 7, 18),
    sign: part('sign', width - 7, 18, sign),
    dataLabel: part('label', 7, height - 26, 'data'),
    data: part('number', width - 17, height - 26),
    label: part('label', 7, height - 9, 'grad'),
    gradient: part('number gradient', width - 17, height - 9),
    mark: part('mark', width - 5, height - 9),
  };
  const [base, index] = splitName(shortenName(nameOfBox(graph, box), neuron ? 19 : LONGEST_NAME - sign.length));
  box.texts.name.append(base);
  if (index) box.texts.name.append(draw('tspan', { class: 'index', dy: 3 }, index));
  if (neuron) {
    const count = neuron.parameters.length;
    const size = count ? ` · ${count} parameter${count === 1 ? '' : 's'}` : '';
    box.texts.size = part('label', 7, 33, `neuron${size}`);
  }
  const rule = draw('line', { class: 'rule', x1: left, x2: left + width, y1: y, y2: y });
  box.shape.append(rule, draw('text', {}, ...Object.values(box.texts)));
}

const nameOfBox = (graph, box) => (graph.neurons[box.neuron] ?? { label: graph.nodes[box.output].name }).label;

const shorten = (text, room) => (text.length <= room ? text : `${text.slice(0, room - 1)}…`);

function writeTexts(graph, state, box) {
  if (!box.texts) addTexts(graph, box);
  const { texts, output } = box;
  const { timeline, numbers, step } = state;
  const gradient = gradientAt(timeline, output, step);
  const waiting = step < timeline.computed[output];
  setText(texts.data, waiting ? 'not yet' : digits(numbers.data[output]));
  texts.data.classList.toggle('none', waiting);
  setText(texts.gradient, gradient === undefined ? noGradient(state) : digits(gradient));
  texts.gradient.classList.toggle('none', gradient === undefined);
  texts.gradient.setAttribute('x', round(box.right) - (gradient === undefined ? 7 : 17));
  setText(texts.label, gradient === undefined ? '' : 'grad');
  setText(texts.mark, gradient === undefined ? '' : isComplete(box, state) ? '✓' : '+');
}

function setText(text, content) {
  if (text.textContent !== content) text.textContent = content;
}

/** The name alone, as large as the box allows, for when the view is too far away to read more. */
function addTitle(graph, box) {
  if (box.title) return;
  const name = shortenName(nameOfBox(graph, box), 8);
  const size = Math.min(42, (box.size.width - 14) / (0.56 * name.length)); // a letter is about half as wide as high
  const place = { x: round(box.x), y: round(box.y + size * 0.34), 'font-size': round(size) };
  box.title = box.shape.appendChild(draw('text', { class: 'title', ...place }, name));
}

/** A box in words, for screen readers. */
function spoken(graph, state, box) {
  const { timeline, numbers, step } = state;
  const node = graph.nodes[box.output];
  const gradient = gradientAt(timeline, box.output, step);
  const kind = node.leaf ? 'leaf' : node.op;
  const what = box.neuron >= 0 ? `neuron ${graph.neurons[box.neuron].label}` : `${node.name}, ${kind}`;
  const data = step < timeline.computed[box.output] ? 'not computed yet' : `data ${digits(numbers.data[box.output])}`;
  return `${what}, ${data}, ${gradient === undefined ? noGradient(state) : `gradient ${digits(gradient)}`}`;
}
