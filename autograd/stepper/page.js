// The page: its state, its controls, and what it tells the notebook around it.

(function main() {
  const find = (id) => document.getElementById(id);
  const graph = readGraph(JSON.parse(find('data').textContent));
  const recorded = recordedNumbers(graph);
  const state = {
    numbers: recorded,
    timeline: makeTimeline(graph, recorded),
    step: 0,
    edited: new Map(), // leaves with other numbers than the recorded ones
    refused: new Map(), // leaves for which something was typed that could not be computed: {text, why}
    locked: lockedLeaves(graph),
    collapsed: new Set(),
    selected: -1,
  };
  const everyNeuron = graph.neurons.map((_, i) => i);
  if (graph.collapsed) state.collapsed = new Set(everyNeuron);
  const picture = makePicture(find('picture'), find('backdrop'), graph, state, {
    select,
    toggle,
    hover: showTip,
    leave: hideTip,
  });
  const panel = makePanel(find('panel'), graph, state, { go, close, edit, toggle, neuronOf: picture.neuronOf });
  const last = () => state.timeline.steps.length - 1;

  // ---- steps -------------------------------------------------------------------------------------------------------

  function go(step) {
    if (moveTo(step)) tellHost();
  }

  /** Whether that is another step. */
  function moveTo(step) {
    const before = state.step;
    state.step = Math.max(0, Math.min(last(), step));
    if (state.step === before) return false;
    picture.show(before);
    showStep();
    return true;
  }

  function showStep() {
    const step = state.timeline.steps[state.step];
    const spoken = sentence(graph, state.numbers, step);
    panel.show();
    find('slider').value = state.step;
    find('slider').setAttribute('aria-valuetext', `step ${state.step} of ${last()}: ${spoken}`);
    find('time').style.setProperty('--at', state.step / Math.max(1, last()));
    find('count').textContent = `step ${state.step} of ${last()}`;
    find('live').textContent = spoken;
    for (const id of ['first', 'back']) find(id).setAttribute('aria-disabled', state.step === 0);
    for (const id of ['forward', 'last']) find(id).setAttribute('aria-disabled', state.step === last());
  }

  /** The numbers have changed, and with them perhaps the steps. */
  function showNumbers() {
    state.timeline = makeTimeline(graph, state.numbers);
    state.step = Math.min(state.step, last());
    find('slider').max = last();
    // Between the last forward step and the first backward one.
    find('time').style.setProperty('--border', (state.timeline.forward + 0.5) / Math.max(1, last()));
    picture.refreshAll();
    panel.refreshLeaves();
    showStep();
  }

  // ---- play --------------------------------------------------------------------------------------------------------

  let timer;

  function play() {
    if (timer !== undefined) return pause();
    if (state.step === last()) go(0);
    find('play').setAttribute('aria-label', 'Pause');
    tick();
  }

  function tick() {
    timer = setTimeout(
      () => {
        go(state.step + 1);
        if (state.step === last()) pause();
        else tick();
      },
      1000 / Number(find('speed').value),
    );
  }

  function pause() {
    clearTimeout(timer);
    timer = undefined;
    find('play').setAttribute('aria-label', 'Play');
  }

  function byHand(step) {
    pause();
    go(step);
  }

  find('first').onclick = () => byHand(0);
  find('back').onclick = () => byHand(state.step - 1);
  find('play').onclick = play;
  find('forward').onclick = () => byHand(state.step + 1);
  find('last').onclick = () => byHand(last());
  document.querySelector('.buttons').addEventListener('click', (event) => {
    if (event.detail) document.activeElement.blur(); // after a click of the mouse, the space bar plays again
  });
  find('slider').oninput = (event) => byHand(Number(event.target.value));

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === 'Escape' && state.selected >= 0) {
      panel.refreshLeaves(); // a number that is being typed is given up
      return close();
    }
    if (event.target.matches('input, select')) return; // the slider has these keys itself
    const onButton = event.target.matches('button');
    const action = {
      ArrowRight: () => byHand(state.step + 1),
      ArrowLeft: () => byHand(state.step - 1),
      Home: () => byHand(0),
      End: () => byHand(last()),
      ' ': onButton ? undefined : play,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  // ---- nodes -------------------------------------------------------------------------------------------------------

  let opener; // where the focus was when a node was selected

  function select(node) {
    opener = document.activeElement;
    state.selected = node;
    picture.select(node);
    panel.showNode();
    if (node >= 0) find('node').scrollIntoView({ block: 'nearest' });
  }

  /** A focus in what is closed goes back to where it came from, or to the node if that is gone. */
  function close() {
    const [back, node] = [opener, state.selected];
    const isInside = find('node').contains(document.activeElement);
    select(-1);
    if (!isInside) return;
    if (back.isConnected) back.focus();
    else picture.focus(node);
  }

  function arrange() {
    picture.arrange(state.collapsed);
    picture.select(state.selected);
    picture.find(matches);
    panel.showNode();
    const button = find('collapse');
    button.hidden = everyNeuron.length === 0;
    button.textContent = state.collapsed.size ? 'Expand neurons' : 'Collapse neurons';
  }

  function toggle(neuron) {
    if (neuron === undefined) return;
    if (!state.collapsed.delete(neuron)) state.collapsed.add(neuron);
    arrange();
    picture.reveal(graph.neurons[neuron].nodes.at(-1));
    picture.focus(graph.neurons[neuron].nodes.at(-1));
  }

  find('collapse').onclick = () => {
    state.collapsed = new Set(state.collapsed.size ? [] : everyNeuron);
    arrange();
  };

  let matches = [];
  let match = -1;
  find('search').oninput = (event) => {
    const text = event.target.value.trim().toLowerCase();
    const matching = graph.nodes.filter((node) => text && node.name.toLowerCase().includes(text));
    matches = matching.map((node) => node.index);
    match = -1;
    picture.find(matches);
    find('found').textContent = text ? `${matches.length} found` : '';
  };
  find('search').onkeydown = (event) => {
    if (event.key !== 'Enter' || matches.length === 0) return;
    match = (match + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
    find('found').textContent = `${match + 1} of ${matches.length}`;
    select(matches[match]);
    picture.reveal(matches[match]);
  };

  find('closer').onclick = () => picture.zoom(1.4);
  find('farther').onclick = () => picture.zoom(1 / 1.4);
  find('fit').onclick = () => picture.fit();

  // ---- full digits -------------------------------------------------------------------------------------------------

  function showTip(node, target) {
    const { numbers, timeline, step } = state;
    const gradient = gradientAt(timeline, node, step);
    const tip = find('tip');
    tip.replaceChildren(
      html('b', {}, graph.nodes[node].name),
      html('span', {}, `data ${step < timeline.computed[node] ? 'not computed yet' : repr(numbers.data[node])}`),
      html('span', {}, gradient === undefined ? noGradient(state) : `grad ${repr(gradient)}`),
    );
    tip.hidden = false;
    const [box, around] = [target.getBoundingClientRect(), find('graph').getBoundingClientRect()];
    const below = box.bottom - around.top + 6;
    const top = below + tip.offsetHeight > around.height ? box.top - around.top - tip.offsetHeight - 6 : below;
    const left = Math.min(box.left - around.left, around.width - tip.offsetWidth - 6);
    tip.style.left = `${Math.max(6, left)}px`;
    tip.style.top = `${Math.max(6, top)}px`;
  }

  function hideTip() {
    find('tip').hidden = true;
  }

  // ---- numbers -----------------------------------------------------------------------------------------------------

  /** Give some leaves (a Map) other numbers. Returns what is wrong with them; nothing is changed then. */
  function change(leaves) {
    const edited = new Map(state.edited);
    try {
      for (const [leaf, number] of leaves) {
        const { name, data } = graph.nodes[leaf];
        const why = state.locked[leaf];
        if (number === undefined) throw new Error(`${name} needs a number`);
        if (Object.is(number, data)) edited.delete(leaf);
        else if (why !== undefined) throw new Error(`${name} cannot be edited: ${why}`);
        else edited.set(leaf, number);
      }
      state.numbers = recompute(graph, edited, operations);
    } catch (error) {
      return error.message;
    }
    state.edited = edited;
    for (const leaf of leaves.keys()) state.refused.delete(leaf);
    showNumbers();
    return undefined;
  }

  /** Try what was typed for a leaf, together with all other numbers that were refused before. */
  function edit(leaf, text) {
    const { refused } = state;
    refused.set(leaf, { text });
    const numbers = [...refused].map(([each, { text }]) => [each, readNumber(text)]);
    const why = change(new Map(numbers.filter(([each, number]) => each === leaf || number !== undefined)));
    if (why === undefined) return tellHost();
    refused.get(leaf).why = `${why}. The page still shows the last numbers that work.`;
    panel.refreshLeaves();
    find('live').textContent = why;
  }

  find('reset').onclick = () => {
    change(new Map(leaves.map((leaf) => [leaf.index, leaf.data])));
    find('leaves').querySelector('input').focus(); // the button is gone
    tellHost();
  };

  // ---- light and dark ----------------------------------------------------------------------------------------------

  find('theme').onclick = () => {
    const root = document.documentElement;
    const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    root.dataset.theme = (root.dataset.theme ?? system) === 'dark' ? 'light' : 'dark';
  };

  // ---- the notebook around the page --------------------------------------------------------------------------------

  const leaves = graph.nodes.filter((node) => node.leaf);

  function tellHost() {
    if (window.parent === window) return;
    const numbers = Object.fromEntries(leaves.map((leaf) => [leaf.name, state.numbers.data[leaf.index]]));
    window.parent.postMessage({ chainrule: 'state', step: state.step, leaves: numbers }, '*');
  }

  window.addEventListener('message', ({ source, data }) => {
    if (source !== window.parent || window.parent === window || data?.chainrule !== 'set') return;
    const numbers = new Map();
    for (const leaf of leaves) {
      const number = data.leaves && Object.hasOwn(data.leaves, leaf.name) ? data.leaves[leaf.name] : undefined;
      const now = state.numbers.data[leaf.index];
      if (typeof number === 'number' && !Object.is(number, now)) numbers.set(leaf.index, number);
    }
    pause();
    panel.say(change(numbers));
    if (Number.isInteger(data.step)) moveTo(data.step);
    tellHost(); // once, also where nothing has changed: the host waits for an answer
  });

  arrange();
  showNumbers();
  tellHost();
})();
