// The graph, its numbers, and the steps of its two passes. Nothing here knows of the page.

const NO_DECIMALS = new Map([['nan', NaN], ['inf', Infinity], ['+inf', Infinity], ['-inf', -Infinity]]);

/** A float of the data: JSON has no inf and no nan, which come as text. */
const readFloat = (x) => (typeof x === 'number' ? x : NO_DECIMALS.get(x));

/** The number that was typed, or copied from the page: a decimal one, inf, ∞ or nan. Of any other text undefined. */
function readNumber(text) {
  const plain = text.trim().replaceAll('−', '-').replace('∞', 'inf');
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain)) return NO_DECIMALS.get(plain);
  const number = Number(plain);
  return Number.isFinite(number) ? number : undefined; // 1e400 is no float, and was hardly meant to be ∞
}

/**
 * The graph as Python recorded it, inputs first: for each node its name, its inputs (the index of a node, or -1 for a
 * literal), its literals, its uses, and its depth, the length of the longest path to a leaf.
 */
function readGraph(data) {
  const nodes = data.nodes.map((record, index) => {
    const inputs = record.inputs ?? [];
    return {
      ...record,
      index,
      leaf: record.inputs === undefined,
      data: readFloat(record.data),
      inputs: inputs.map((x) => (Array.isArray(x) ? -1 : x)),
      literals: inputs.map((x) => (Array.isArray(x) ? readFloat(x[0]) : undefined)),
      locals: (record.locals ?? []).map((x) => (x === null ? null : readFloat(x))),
      uses: [],
      depth: 0,
    };
  });
  for (const node of nodes) {
    node.inputs.forEach((x, place) => {
      if (x < 0) return;
      nodes[x].uses.push({ node: node.index, place });
      node.depth = Math.max(node.depth, nodes[x].depth + 1);
    });
  }
  return { nodes, templates: data.templates, neurons: data.neurons, collapsed: data.collapsed };
}

/** The numbers that Python recorded: the data of each node, and its local derivatives, null where nothing flows. */
function recordedNumbers(graph) {
  return { data: graph.nodes.map((node) => node.data), locals: graph.nodes.map((node) => node.locals) };
}

/**
 * The numbers with other data in some leaves (a Map from index to number). What does not depend on these leaves keeps
 * the numbers that Python recorded. Throws an Error that names the operation where the result is not defined.
 */
function recompute(graph, edited, operations) {
  const numbers = recordedNumbers(graph);
  const changed = new Set();
  for (const node of graph.nodes) {
    if (node.leaf) {
      if (!edited.has(node.index)) continue;
      numbers.data[node.index] = edited.get(node.index);
    } else {
      if (!node.inputs.some((x) => changed.has(x))) continue;
      const { data, locals } = apply(graph, node, numbers, operations);
      numbers.data[node.index] = data;
      numbers.locals[node.index] = locals;
    }
    changed.add(node.index);
  }
  return numbers;
}

function apply(graph, node, numbers, operations) {
  if (node.missing) throw new Error(`${node.name} cannot be computed in this page: ${node.missing}`);
  const operation = operations[node.key];
  const inputs = node.inputs.map((x, place) => (x < 0 ? node.literals[place] : numbers.data[x]));
  try {
    const data = operation.forward(...inputs);
    const wanted = node.inputs.map((x) => x >= 0);
    const locals = operation.locals(...inputs, data, wanted);
    return { data, locals: locals.map((local) => (operation.selects && local === 0 ? null : local)) };
  } catch (error) {
    const named = inputs.map((x, place) => {
      const input = graph.nodes[node.inputs[place]]; // undefined for a literal
      return input ? `${input.name}=${repr(x)}` : repr(x);
    });
    const called = inputs.length > 4 ? `${node.op} of ${inputs.length} inputs` : `${node.op}(${named.join(', ')})`;
    throw new Error(`${called}: ${error.message}`);
  }
}

/** For each node why it cannot be edited: an operation that depends on it cannot be computed in the page. */
function lockedLeaves(graph) {
  const reasons = graph.nodes.map(() => undefined);
  for (const node of [...graph.nodes].reverse()) {
    if (node.missing) {
      reasons[node.index] = `${node.name} depends on it, and ${node.op} cannot be computed here (${node.missing})`;
    }
    for (const x of node.inputs) if (x >= 0) reasons[x] ??= reasons[node.index];
  }
  return reasons;
}

/**
 * Both passes on one time line. steps[0] is the start; then comes one step for each operation, inputs first; the seed
 * ∂L/∂L = 1; and one step for each contribution of the backward pass, in the order of autograd/reverse.py: the deepest
 * node first, its last operand first. A node's uses are deeper than the node, so its gradient is complete by its turn.
 *
 * computed[node] is the step that computes it, into[node] the steps that add to its gradient (the seed among them),
 * from[node] those in which it contributes to its inputs, stepOf[node][place] the one for a single operand.
 */
function makeTimeline(graph, numbers) {
  const { nodes } = graph;
  const steps = [{ kind: 'start' }];
  const computed = nodes.map(() => 0);
  const into = nodes.map(() => []);
  const from = nodes.map(() => []);
  const stepOf = nodes.map((node) => node.inputs.map(() => undefined));
  for (const node of nodes) {
    if (node.leaf) continue;
    computed[node.index] = steps.length;
    steps.push({ kind: 'forward', node: node.index });
  }
  const loss = nodes.at(-1);
  const forward = steps.length - 1;
  const gradients = nodes.map(() => undefined);
  gradients[loss.index] = 1;
  into[loss.index].push(steps.length);
  steps.push({ kind: 'seed', node: loss.index, after: 1 });
  const levels = Array.from({ length: loss.depth + 1 }, () => []);
  levels[loss.depth].push(loss);
  for (const level of levels.reverse()) {
    for (const node of level) {
      const upstream = gradients[node.index];
      for (let place = node.inputs.length - 1; place >= 0; place--) {
        const local = numbers.locals[node.index][place];
        if (local === null) continue;
        const input = node.inputs[place];
        const contribution = upstream * local;
        const before = gradients[input];
        if (before === undefined) levels[loss.depth - nodes[input].depth].push(nodes[input]);
        const after = before === undefined ? contribution : before + contribution;
        gradients[input] = after;
        into[input].push(steps.length);
        from[node.index].push(steps.length);
        stepOf[node.index][place] = steps.length;
        steps.push({ kind: 'backward', node: node.index, input, place, local, upstream, contribution, before, after });
      }
    }
  }
  return { steps, forward, computed, into, from, stepOf };
}

/** How many of the ascending numbers are at most x. */
function countUpTo(numbers, x) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The gradient of a node after a step; undefined as long as it has none. */
function gradientAt(timeline, node, step) {
  const count = countUpTo(timeline.into[node], step);
  return count === 0 ? undefined : timeline.steps[timeline.into[node][count - 1]].after;
}

/** What stands in the place of a gradient that there is not: after the last step there will be none. */
const noGradient = ({ timeline, step }) => (step < timeline.steps.length - 1 ? 'no gradient yet' : 'no gradient');

/** All digits of a float, spelled as Python does: 2.0, 1e-07, inf. */
function repr(x) {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (x === 0) return Object.is(x, -0) ? '-0.0' : '0.0';
  const [mantissa, power] = x.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const sign = x < 0 ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
