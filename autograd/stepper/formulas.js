// Numbers, formulas in MathML, and the sentences that say what a step does.

const MATHML = 'http://www.w3.org/1998/Math/MathML';
const LONGEST_NAME = 15; // in a formula, and in a box that has room
const LIST = new Intl.ListFormat('en-GB'); // a, b and c

/** A number to 6 significant digits, as autograd/notation.py writes it, but with a real minus sign. */
function digits(x) {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (Object.is(x, -0)) return '−0';
  const [mantissa, exponent] = toSixDigits(x).split('e').map(Number);
  const text = exponent < -4 || exponent >= 6 ? `${mantissa}e${exponent}` : `${Number(`${mantissa}e${exponent}`)}`;
  return text.replaceAll('-', '−');
}

/** Of two that are equally near, Python takes the even one, and toExponential the one farther from 0. */
function toSixDigits(x) {
  const halfway = /^(-?\d\.\d{4}[02468])50*(e.*)$/.exec(x.toExponential(30));
  return halfway ? halfway[1] + halfway[2] : x.toExponential(5);
}

/** Whether the digits that are shown are all there are. */
function isExact(x) {
  return Number(digits(x).replaceAll('−', '-')) === x || !Number.isFinite(x);
}

/** The sign between a formula of these numbers and its result: = or ≈. */
function equals(...numbers) {
  return operator(numbers.every(isExact) ? '=' : '≈');
}

function element(tag, ...children) {
  const node = document.createElementNS(MATHML, tag);
  node.append(...children);
  return node;
}

const operator = (sign) => element('mo', sign);
const row = (...children) => element('mrow', ...children);
const inParentheses = (...children) => row(operator('('), ...children, operator(')'));

/** A name and its index, or '': w1 and w_1 are w with index 1. Any text may be a name. */
function splitName(name) {
  const indexed = name.match(/^(\p{L}+)_?(\p{Nd}+)$/u);
  return indexed ? [indexed[1], indexed[2]] : [name, ''];
}

/** The end of a long name, where the indices are, from a dot on if there is one. */
const shortenName = (name, room) =>
  name.length <= room ? name : `…${name.slice(-room).replace(/^([^.]*\.(?!$)|[^])/, '')}`;

function variable(name) {
  const [base, index] = splitName(shortenName(name, LONGEST_NAME));
  return index ? element('msub', element('mi', base), element('mn', index)) : element('mi', base);
}

function number(x) {
  const [mantissa, exponent] = digits(x).split('e');
  const shown = element('mn', mantissa.replace('−', ''));
  const signed = mantissa.startsWith('−') ? [operator('−'), shown] : [shown];
  if (!exponent) return row(...signed);
  const power = element('mn', exponent.replace('−', ''));
  const raised = exponent.startsWith('−') ? row(operator('−'), power) : power;
  return row(...signed, operator('·'), element('msup', element('mn', '10'), raised));
}

/** A number as an operand: in parentheses if it is negative. */
const operand = (x) => (x < 0 || Object.is(x, -0) ? inParentheses(number(x)) : number(x));

/** ∂of/∂by, of what already is a formula, by a variable. */
function partial(of, by) {
  return element('mfrac', row(operator('∂'), of), row(operator('∂'), variable(by)));
}

/**
 * A template of Python's with its operands filled in: <mi class="operand"> with the place of an input, or with "out".
 * Where a template groups one, it does so for operands that need it: negative numbers.
 */
function fill(template, operandAt) {
  const holder = document.createElement('template');
  holder.innerHTML = `<math><mrow>${template}</mrow></math>`;
  const filled = holder.content.firstChild.firstChild;
  for (const place of filled.querySelectorAll('mi.operand')) {
    const { content, negative } = operandAt(place.textContent === 'out' ? 'out' : Number(place.textContent));
    const group = place.parentElement.classList.contains('group') ? place.parentElement : null;
    if (group && group.children.length === 3 && !negative) group.replaceWith(content);
    else place.replaceWith(content);
  }
  return filled;
}

/** The formulas of one graph at its numbers: everything that the panel shows of a step. */
function makeFormulas(graph, numbers) {
  const { nodes, templates } = graph;
  const loss = nodes.at(-1);
  const inputOf = (node, place) => (place === 'out' ? node.index : node.inputs[place]);
  const names = (node) => (place) => ({ content: variable(nodes[inputOf(node, place)].name), negative: false });
  const data = (node) => (place) => {
    const x = numbers.data[inputOf(node, place)];
    return { content: number(x), negative: x < 0 || Object.is(x, -0) };
  };
  const operation = (node) => fill(templates[node.template].operation, names(node));
  // Of the output's own operation it is ∂(operation)/∂input, for ∂L/∂input means all of the gradient.
  const derivative = (node, input) =>
    partial(node === loss ? inParentheses(operation(node)) : variable(node.name), input.name);
  const operandsOf = (node) => node.inputs.map((x, place) => (x < 0 ? node.literals[place] : numbers.data[x]));
  return {
    gradient: (node) => partial(variable(loss.name), node.name),
    derivative,
    operation,
    operationNumbers: (node) => fill(templates[node.template].operation, data(node)),
    operationEquals: (node) => equals(...operandsOf(node), numbers.data[node.index]),
    local: (node, place) => fill(templates[node.template].locals[place], names(node)),
    localNumbers: (node, place) => fill(templates[node.template].locals[place], data(node)),
    /** Whether a local derivative is decided, or a limit, for its formula is not defined at these numbers. */
    byConvention: (node, place) =>
      node.key !== undefined &&
      !Number.isNaN(numbers.locals[node.index][place]) &&
      !operations[node.key].areDefined(...operandsOf(node), numbers.data[node.index])[place],
    localEquals: (node, place) => equals(...operandsOf(node), numbers.locals[node.index][place]),
  };
}

/** One sentence for what a step does, read aloud by screen readers. */
function sentence(graph, numbers, step) {
  const node = graph.nodes[step.node];
  const loss = graph.nodes.at(-1).name;
  switch (step.kind) {
    case 'start':
      return 'Nothing is computed yet. Only the leaves have numbers.';
    case 'forward':
      return `Forward: ${node.op} makes ${node.name}, which is ${digits(numbers.data[step.node])}.`;
    case 'seed':
      return `Backward begins: the gradient of ${loss} with respect to itself is 1.`;
    default: {
      const input = graph.nodes[step.input].name;
      return (
        `Backward: from ${node.name} to ${input}, ${digits(step.upstream)} times ${digits(step.local)} is ` +
        `${digits(step.contribution)}. The gradient of ${input} is now ${digits(step.after)}.`
      );
    }
  }
}

/** Of a * a, a step is for one a; the formula is the derivative with respect to that operand alone. */
function share(graph, step) {
  const node = graph.nodes[step.node];
  const places = node.inputs.flatMap((x, place) => (x === step.input ? [place] : []));
  if (places.length === 1) return '';
  const { name } = graph.nodes[step.input];
  return ` ${name} is used ${places.length} times in ${node.name}; this is the share of operand ${step.place + 1}.`;
}

/** What a backward step leaves its input with. */
function outcome(graph, timeline, step, index) {
  const left = timeline.into[step.input].length - countUpTo(timeline.into[step.input], index);
  const { name } = graph.nodes[step.input];
  if (left === 0) return `The gradient of ${name} is now complete.`;
  return `${left} more contribution${left === 1 ? '' : 's'} to the gradient of ${name} will come.`;
}

/** Why a step comes now. */
function reason(graph, timeline, step) {
  const node = graph.nodes[step.node];
  const loss = graph.nodes.at(-1);
  if (step.kind === 'seed') {
    const { name } = loss;
    return `All numbers are computed. The way back begins at ${name}: ${name} changes just as ${name} does.`;
  }
  if (step.kind === 'forward') {
    const inputs = [...new Set(node.inputs.filter((x) => x >= 0))].map((x) => graph.nodes[x].name);
    const listed = inputs.length > 4 ? `all ${inputs.length} inputs` : LIST.format(inputs);
    return `${listed} ${inputs.length > 1 ? 'have' : 'has'} a number, so ${node.name} can be computed.`;
  }
  if (node === loss) return `${node.name} is the output, where the way back begins.`;
  const uses = timeline.into[node.index].length;
  const done = uses === 1 ? `The only use of ${node.name} is done` : `All ${uses} uses of ${node.name} are done`;
  return `${done}, so its gradient is complete and flows on.`;
}
