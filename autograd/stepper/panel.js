// The panel beside the graph: the formulas of a step, the history of a node, the leaves to edit.

const MOST_LISTED = 40;

function html(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A formula in parts, between which it may go on in the next line. */
function formula(...parts) {
  const maths = parts.map((part) => {
    const math = element('math', row(...part));
    math.setAttribute('displaystyle', 'true');
    return math;
  });
  return html('div', { class: 'formula' }, ...maths);
}

/** A name, as a whole: a long one may go on in the next line after a dot or before a bracket. */
function named(name) {
  const [base, index] = splitName(name);
  const parts = base.match(/\[?[^.[]*\.?/g).flatMap((part) => [html('wbr'), part]);
  return html('b', { class: 'name', title: name }, ...parts, ...(index ? [html('sub', {}, index)] : []));
}

/** How many there are of something: 1 step, 2 steps. */
const counted = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;

/**
 * The panel of a graph. `state` has the numbers, the timeline, the step, the edited leaves, what was typed but refused,
 * and the selected node; `on` is told what the user wants: go(step), close(), edit(leaf, text), toggle(neuron).
 */
function makePanel(root, graph, state, on) {
  const { nodes } = graph;
  const loss = nodes.at(-1);
  const [stepPart, nodePart, leavesPart] = ['#step', '#node', '#leaves'].map((id) => root.querySelector(id));

  // ---- a step ------------------------------------------------------------------------------------------------------

  function showStep() {
    const { timeline, step: index } = state;
    const step = timeline.steps[index];
    const write = { start, forward, seed, backward }[step.kind];
    const { title, lines } = write(step, makeFormulas(graph, state.numbers));
    const why = step.kind === 'start' ? [] : [html('p', { class: 'why' }, reason(graph, timeline, step))];
    if (step.kind === 'backward') why[0].append(`${share(graph, step)} ${outcome(graph, timeline, step, index)}`);
    if (index > 0 && index === timeline.steps.length - 1) {
      why.push(html('p', { class: 'why' }, 'Every gradient is complete: this is what backward() leaves in grad.'));
    }
    stepPart.className = step.kind === 'seed' ? 'backward' : step.kind;
    stepPart.replaceChildren(
      html('h2', { id: 'step-title' }, html('span', { class: 'pass' }, passOf(step)), ...title),
      ...lines.map(([label, ...content]) => html('div', { class: 'line' }, html('h3', {}, label), ...content)),
      ...why,
    );
  }

  const passOf = (step) => ({ start: 'Start', forward: 'Forward', seed: 'Backward', backward: 'Backward' })[step.kind];

  function start() {
    const text = loss.leaf
      ? `${loss.name} is a leaf: it has its number, and there is no operation. Step forward: its only gradient is 1.`
      : 'The leaves have numbers; nothing is computed yet. Step forward: first every operation is computed, then the ' +
        `gradient of ${loss.name} flows back, one contribution at a time.`;
    const keys = html('p', { class: 'keys' });
    for (const [key, does] of [['→', 'next'], ['←', 'back'], ['space', 'play'], ['Home', 'start'], ['End', 'end']]) {
      keys.append(html('kbd', {}, key), ` ${does} `);
    }
    return { title: [named(loss.name)], lines: [['What you see', html('p', {}, text), keys]] };
  }

  function forward(step, formulas) {
    const node = nodes[step.node];
    const lines = [
      ['In symbols', formula([variable(node.name), operator('='), formulas.operation(node)])],
      [
        'With the numbers',
        formula(
          [variable(node.name), operator('='), formulas.operationNumbers(node)],
          [formulas.operationEquals(node), result(state.numbers.data[node.index])],
        ),
      ],
    ];
    const locals = state.numbers.locals[node.index];
    const flows = node.inputs.map((_, place) => place).filter((place) => locals[place] !== null);
    const shown = flows.slice(0, 6).map((place) => formula(...derivative(node, place, formulas)));
    if (flows.length > shown.length) shown.push(html('p', {}, `and ${flows.length - shown.length} more`));
    if (shown.length) lines.push(['Kept for the way back', ...shown]);
    return { title: ['compute ', named(node.name)], lines };
  }

  /** ∂h/∂w = x = 3: the parts of a local derivative, in symbols and in numbers. */
  function derivative(node, place, formulas) {
    const local = state.numbers.locals[node.index][place];
    const symbols = formulas.local(node, place);
    const inNumbers = formulas.localNumbers(node, place);
    const derivative = formulas.derivative(node, nodes[node.inputs[place]]);
    const end = number(local);
    const isNumber = symbols.textContent === end.textContent; // a rule may be a number
    if (isNumber || formulas.byConvention(node, place)) return [[derivative, operator('='), end]];
    const first = [derivative, operator('='), symbols];
    if (inNumbers.textContent === end.textContent) return [first, [equals(local), end]]; // or one of the inputs
    return [first, [operator('='), inNumbers], [formulas.localEquals(node, place), end]];
  }

  function seed(step, formulas) {
    return {
      title: ['begin at ', named(loss.name)],
      lines: [['The first gradient', formula([formulas.gradient(loss), operator('='), result(1)])]],
    };
  }

  function backward(step, formulas) {
    const [node, input] = [nodes[step.node], nodes[step.input]];
    const { before, local, upstream, contribution, after } = step;
    const first = before === undefined;
    const sum = first
      ? [[formulas.gradient(input), operator('='), result(after)]]
      : [
          [formulas.gradient(input), operator('='), number(before), operator('+'), operand(contribution)],
          [equals(before, contribution, after), result(after)],
        ];
    const product = () => [formulas.gradient(node), operator('·'), formulas.derivative(node, input)];
    return {
      title: ['from ', named(node.name), ' to ', named(input.name)],
      lines: [
        ['Chain rule', formula([formulas.gradient(input), operator('+='), ...product()])],
        [
          `Local derivative${formulas.byConvention(node, step.place) ? ', by convention' : ''}`,
          formula(...derivative(node, step.place, formulas)),
        ],
        [
          'Contribution',
          formula(
            product(),
            [operator('='), operand(upstream), operator('·'), operand(local)],
            [equals(upstream, local, contribution), number(contribution)],
          ),
        ],
        [first ? 'Gradient, first contribution' : 'Gradient, running sum', formula(...sum)],
      ],
    };
  }

  function result(x) {
    const shown = number(x);
    shown.setAttribute('class', 'result');
    return shown;
  }

  // ---- a node ------------------------------------------------------------------------------------------------------

  const details = html('div'); // what a step changes; the rest stays, and with it a number that is being typed
  let introduced = -1;

  function introduceNode() {
    const node = nodes[state.selected];
    const formulas = makeFormulas(graph, state.numbers);
    introduced = state.selected;
    nodePart.replaceChildren(
      html(
        'h2',
        { id: 'node-title' },
        named(node.name),
        html('small', {}, node.leaf ? 'leaf' : node.op),
        html('button', { class: 'quiet', 'aria-label': 'Close', title: 'Close (Escape)', onclick: on.close }, '×'),
      ),
      node.leaf ? leafEditor(node) : formula([variable(node.name), operator('='), formulas.operation(node)]),
      details,
    );
  }

  function showNode() {
    const { selected, timeline, numbers, step } = state;
    nodePart.hidden = selected < 0;
    if (selected < 0) return;
    if (selected !== introduced) introduceNode();
    const neuron = on.neuronOf(selected);
    const computed = step >= timeline.computed[selected];
    const gradient = gradientAt(timeline, selected, step);
    const [into, from] = [timeline.into[selected], timeline.from[selected]];
    const focused = details.contains(document.activeElement) ? document.activeElement.dataset.step : undefined;
    details.replaceChildren(
      html(
        'dl',
        {},
        html('dt', {}, 'data'),
        html('dd', { class: 'digits' }, computed ? repr(numbers.data[selected]) : 'not computed yet'),
        html('dt', {}, 'grad'),
        html('dd', { class: 'digits' }, gradient === undefined ? noGradient(state) : repr(gradient)),
      ),
      ...(neuron === undefined ? [] : [neuronLine(neuron)]),
      history(
        into.length === 0 ? 'Nothing flows back to it' : `${counted(into.length, 'contribution')} to its gradient`,
        into,
        (one) => (one.kind === 'seed' ? 'the start' : nodes[one.node].name),
        (one) => `${one.before === undefined ? 'none' : digits(one.before)} → ${digits(one.after)}`,
      ),
      ...(from.length === 0 ? [] : [history(
        `${counted(from.length, 'contribution')} to its inputs`,
        from,
        (one) => nodes[one.input].name,
        (one) => `${one.contribution < 0 ? '' : '+'}${digits(one.contribution)}`,
      )]),
    );
    if (focused !== undefined) details.querySelector(`[data-step="${focused}"]`)?.focus();
  }

  function neuronLine(neuron) {
    const { label, nodes: members, parameters } = graph.neurons[neuron];
    const collapsed = state.collapsed.has(neuron);
    return html(
      'p',
      { class: 'neuron' },
      'Neuron ',
      named(label),
      `: ${counted(members.length, 'operation')}, ${counted(parameters.length, 'parameter')} `,
      html('button', { onclick: () => on.toggle(neuron) }, collapsed ? 'Expand' : 'Collapse'),
    );
  }

  /** The steps at these indices, as buttons that go there. */
  function history(title, indices, who, what) {
    const list = html('ol', { class: 'history' });
    for (const index of indices.slice(0, MOST_LISTED)) {
      const one = state.timeline.steps[index];
      const when = index === state.step ? 'now' : index < state.step ? 'done' : 'to come';
      list.append(
        html(
          'li',
          { class: when.replace(' ', '-') },
          html(
            'button',
            {
              onclick: () => on.go(index),
              'aria-current': index === state.step ? 'step' : 'false',
              'data-step': index,
            },
            html('span', { class: 'at' }, `step ${index}`),
            html('span', { class: 'who', title: who(one) }, who(one)),
            html('span', { class: 'what' }, what(one)),
            html('span', { class: 'when' }, when),
          ),
        ),
      );
    }
    const more = indices.length - MOST_LISTED;
    const rest = more > 0 ? [html('p', {}, `and ${more} more`)] : [];
    return html('div', {}, html('h3', {}, title), ...(indices.length ? [list] : []), ...rest);
  }

  // ---- leaves ------------------------------------------------------------------------------------------------------

  let editors = 0; // a leaf may have one here and one beside its node

  function leafEditor(leaf) {
    const locked = state.locked[leaf.index];
    const error = html('p', { class: 'error', id: `error-${++editors}` });
    const field = html('input', {
      type: 'text',
      inputmode: 'decimal',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-label': `Value of ${leaf.name}`,
      'aria-describedby': error.id,
      'data-leaf': leaf.index,
      disabled: locked !== undefined,
      onchange: () => on.edit(leaf.index, field.value),
    });
    const equal = html('span', { 'aria-hidden': 'true' }, '=');
    const line = html('label', { class: 'leaf' }, named(leaf.name), equal, field);
    if (locked !== undefined) line.append(html('small', {}, `cannot be edited: ${locked}`));
    const editor = html('div', { class: 'editor' }, line, error);
    refreshEditor(editor);
    return editor;
  }

  function refreshEditor(editor) {
    const field = editor.querySelector('input');
    const leaf = Number(field.dataset.leaf);
    const refused = state.refused.get(leaf);
    field.value = refused ? refused.text : repr(state.numbers.data[leaf]);
    field.setAttribute('aria-invalid', refused !== undefined);
    setError(editor.querySelector('.error'), refused?.why);
    editor.firstChild.classList.toggle('edited', state.edited.has(leaf));
  }

  function setError(element, text) {
    element.hidden = text === undefined;
    element.textContent = text ?? '';
  }

  /** An error that no editor is the place for: the host asked for these numbers. */
  const say = (error) => setError(leavesPart.querySelector('#refused'), error);

  function listLeaves() {
    // In the order of their first use, as steps come to them; an output that is a leaf has none.
    const used = [...nodes.flatMap((node) => node.inputs), loss.index];
    const leaves = [...new Set(used)].map((index) => nodes[index]).filter((node) => node?.leaf); // of -1 there is none
    const list = leavesPart.querySelector('.list');
    list.replaceChildren(...leaves.slice(0, MOST_LISTED).map(leafEditor));
    if (leaves.length > MOST_LISTED) {
      list.append(html('p', {}, `and ${leaves.length - MOST_LISTED} more: find one by name, and edit it there`));
    }
  }

  /** Every editor shows its leaf's number, or what was typed and refused, and why. */
  function refreshLeaves() {
    say(undefined);
    leavesPart.querySelector('#reset').hidden = state.edited.size + state.refused.size === 0;
    root.querySelectorAll('.editor').forEach(refreshEditor);
  }

  listLeaves();
  return {
    show() {
      showStep();
      showNode();
    },
    showNode,
    say,
    refreshLeaves,
  };
}
