// Where the boxes go: a layered drawing, left to right (Sugiyama, Tagawa and Toda 1981), in four steps, each about
// linear in the edges. Nothing here knows of the page.
//
// 1. Layers: a box stands one layer after the last of its inputs; what has no inputs moves up to its first use.
// 2. Long edges pass through points, one for each layer they cross, shared by all edges from the same box.
// 3. Order within a layer: boxes go to the mean position of their neighbours, a few sweeps to and fro.
// 4. Heights: as near to the neighbours as the order and the gaps allow.

const COLUMN_GAP = 32;
const ROW_GAP = 26; // room for the factor of a step
const LONGEST_ROUTE = 24; // longer edges run straight: points for each of their layers could be quadratic
const SWEEPS = 10;

/**
 * boxes: [{width, height}], each after its inputs; edges: [{from, to, port}], port in (0, 1) being where the edge
 * enters the box it goes to, from its top to its bottom. Returns {boxes: [{x, y}], the centres, and routes: [[{x, y}]],
 * for each edge the points that it passes between its ends}.
 */
function layOut(boxes, edges) {
  const layer = assignLayers(boxes, edges);
  const { cells, routes, layers } = makeCells(boxes, edges, layer);
  orderCells(layers, cells);
  const x = columnCentres(boxes, layer, layers.length);
  placeCells(layers, cells);
  return {
    boxes: boxes.map((_, i) => ({ x: x[layer[i]], y: cells[i].y })),
    routes: routes.map((route) => route.map((cell) => ({ x: x[cells[cell].layer], y: cells[cell].y }))),
  };
}

function assignLayers(boxes, edges) {
  const layer = boxes.map(() => 0);
  const hasInputs = boxes.map(() => false);
  const firstUse = boxes.map(() => Infinity);
  const into = boxes.map(() => []);
  for (const edge of edges) into[edge.to].push(edge.from);
  boxes.forEach((_, i) => {
    for (const j of into[i]) {
      layer[i] = Math.max(layer[i], layer[j] + 1);
      hasInputs[i] = true;
    }
  });
  for (const { from, to } of edges) firstUse[from] = Math.min(firstUse[from], layer[to]);
  return layer.map((own, i) => (hasInputs[i] || firstUse[i] === Infinity ? own : firstUse[i] - 1));
}

/** A cell is a box, or a point that a long edge passes; a link goes from a cell to one in the next layer. */
function makeCells(boxes, edges, layer) {
  const cell = (layer, height) => ({ layer, height, left: [], right: [], position: 0, y: 0 });
  const cells = boxes.map((box, i) => cell(layer[i], box.height));
  const points = boxes.map(() => []);
  const links = [];
  const routes = edges.map(({ from, to, port }) => {
    const span = layer[to] - layer[from];
    if (span > LONGEST_ROUTE) return [];
    let last = from;
    const route = [];
    for (let i = 0; i < span - 1; i++) {
      if (i === points[from].length) {
        points[from].push(cells.length);
        cells.push(cell(layer[from] + i + 1, 0));
        links.push({ from: last, to: points[from][i], port: 0.5 });
      }
      last = points[from][i];
      route.push(last);
    }
    links.push({ from: last, to, port });
    return route;
  });
  for (const link of links) {
    cells[link.from].right.push(link);
    cells[link.to].left.push(link);
  }
  const layers = Array.from({ length: layer.reduce((a, b) => Math.max(a, b), 0) + 1 }, () => []);
  cells.forEach((cell, i) => layers[cell.layer].push(i));
  return { cells, routes, layers };
}

function orderCells(layers, cells) {
  const number = (layer) => layer.forEach((cell, i) => (cells[cell].position = i));
  layers.forEach(number);
  const sort = (layer, wish) => {
    for (const cell of layer) cells[cell].wish = wish(cells[cell]) ?? cells[cell].position;
    layer.sort((a, b) => cells[a].wish - cells[b].wish || cells[a].position - cells[b].position);
    number(layer);
  };
  // The port counts a little, so that the operands of one box come in their order.
  const fromLeft = (cell) => mean(cell.left, (link) => cells[link.from].position);
  const fromRight = (cell) => mean(cell.right, (link) => cells[link.to].position + 0.9 * (link.port - 0.5));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = layers.length - 2; i >= 0; i--) sort(layers[i], fromRight);
    if (sweep < SWEEPS - 1) for (let i = 1; i < layers.length; i++) sort(layers[i], fromLeft);
  }
}

function placeCells(layers, cells) {
  const place = (layer, wish) => {
    const wishes = layer.map((cell) => wish(cells[cell]) ?? cells[cell].y);
    spread(wishes, layer.map((cell) => cells[cell].height + ROW_GAP)).forEach((y, i) => (cells[layer[i]].y = y));
  };
  const enters = (link) => cells[link.to].y + cells[link.to].height * (link.port - 0.5);
  const fromLeft = (cell) => mean(cell.left, (link) => cells[link.from].y);
  const fromRight = (cell) => mean(cell.right, enters);
  const fromBoth = (cell) => mean([fromLeft(cell), fromRight(cell)].filter((y) => y !== undefined), (y) => y);
  for (const layer of layers) place(layer, () => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 1; i < layers.length; i++) place(layers[i], fromLeft);
    for (let i = layers.length - 2; i >= 0; i--) place(layers[i], fromRight);
  }
  for (let i = layers.length - 1; i >= 0; i--) place(layers[i], fromBoth);
}

/**
 * The heights nearest to the wishes (least squares) that keep the order, and of every two neighbours the mean of their
 * sizes between their centres: isotonic regression, by pooling adjacent violators.
 */
function spread(wishes, sizes) {
  const offsets = [0];
  for (let i = 1; i < sizes.length; i++) offsets.push(offsets[i - 1] + (sizes[i - 1] + sizes[i]) / 2);
  const pools = [];
  wishes.forEach((wish, i) => {
    let pool = { sum: wish - offsets[i], count: 1 };
    while (pools.length && pools.at(-1).sum / pools.at(-1).count >= pool.sum / pool.count) {
      const before = pools.pop();
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
    }
    pools.push(pool);
  });
  const heights = [];
  for (const pool of pools) {
    for (let i = 0; i < pool.count; i++) heights.push(pool.sum / pool.count + offsets[heights.length]);
  }
  return heights;
}

function columnCentres(boxes, layer, count) {
  const widths = Array.from({ length: count }, () => 0);
  boxes.forEach((box, i) => (widths[layer[i]] = Math.max(widths[layer[i]], box.width)));
  let edge = 0;
  return widths.map((width) => {
    const centre = edge + width / 2;
    edge += width + COLUMN_GAP;
    return centre;
  });
}

function mean(items, number) {
  if (items.length === 0) return undefined;
  let sum = 0;
  for (const item of items) sum += number(item);
  return sum / items.length;
}
