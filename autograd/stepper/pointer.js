// The mouse, the finger and the keyboard on the picture. Boxes are buttons; one of them at a time is a tab stop.

/** Drag to pan, wheel to zoom, click to select, double click to open or close a neuron, hover for all digits. */
function listenToPointer(svg, boxAt, neuronAt, view, on) {
  listenToDrags(svg, view, on.leave, (event) => on.select(boxAt(event)?.output ?? -1));
  const onWheel = (event) => {
    // In a notebook the wheel scrolls the notebook, and zooms with Ctrl.
    if (window.parent !== window && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { left, top } = svg.getBoundingClientRect();
    view.zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
  };
  svg.addEventListener('wheel', onWheel, { passive: false });
  svg.addEventListener('dblclick', (event) => {
    const box = boxAt(event);
    if (box) on.toggle(neuronAt(box));
  });
  svg.addEventListener('pointerover', (event) => {
    const box = boxAt(event);
    if (box && !event.buttons) on.hover(box.output, box.shape);
    else on.leave();
  });
  svg.addEventListener('pointerleave', () => on.leave());
}

function listenToDrags(svg, view, start, click) {
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
    start();
    view.pan(dx, dy);
  });
  svg.addEventListener('pointerup', () => svg.classList.remove('dragged'));
  svg.addEventListener('pointercancel', () => svg.classList.remove('dragged'));
  svg.addEventListener('click', (event) => {
    if (!drag?.moved) click(event);
    drag = undefined; // the click that ends a drag is none, but the next may come without a pointer
  });
}

/** Up and down walk from box to box, Enter and the space bar press one. `visit` makes a box the tab stop. */
function listenToKeyboard(svg, boxAt, { visit, focus, neighbours }, on) {
  let byKeyboard = false; // whether the keyboard, not a click, went to the box
  svg.addEventListener('focusin', (event) => {
    const box = boxAt(event);
    if (!box) return;
    visit(box);
    byKeyboard = box.shape.matches(':focus-visible'); // asked now: after a click, the next key would make it true
    if (byKeyboard) on.hover(box.output, box.shape);
  });
  svg.addEventListener('focusout', () => on.leave());
  svg.addEventListener('keydown', (event) => {
    const box = boxAt(event);
    if (!box) return;
    const [previous, following] = neighbours(box);
    const next = { ArrowUp: previous, ArrowDown: following }[event.key];
    // The space bar presses a box that the keyboard went to, as any button; after a click it plays.
    const presses = event.key === 'Enter' || (event.key === ' ' && byKeyboard);
    if (next) focus(next);
    else if (event.key === 'Enter' && box.neuron >= 0) on.toggle(box.neuron);
    else if (presses) on.select(box.output);
    else if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
    event.preventDefault();
  });
}
