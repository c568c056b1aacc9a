// Which boxes and lines a graph is drawn with, and where they are. Nothing here knows of the page.

const NODE = { width: 134, height: 66 };
const NEURON = { width: 148, height: 82 };
const LONG = 2000; // longer edges have no dashes, which take long to paint

const round = (x) => Math.round(x * 10) / 10;

/** For each node the neurons that it is a part of: a shared parameter is one of several. */
function neuronsByNode(graph) {
  const neuronsOf = graph.nodes.map(() => []);
  graph.neurons.forEach((neuron, i) => {
    for (const node of [...neuron.nodes, ...neuron.parameters]) neuronsOf[node].push(i);
  });
  return neuronsOf;
}

/**
 * The graph with the neurons of a set as one box each. A box has its members, the nodes that it shows, and of these
 * `output`, whose numbers stand in it; an edge has its parts, the uses [node, place] that it shows. boxOf[node] and
 * edgesInto[node][place] lead from the graph to them.
 */
function arrangeBoxes(graph, neuronsOf, collapsed) {
  const isHidden = (node) =>
    graph.nodes[node].leaf && neuronsOf[node].length > 0 && neuronsOf[node].every((i) => collapsed.has(i));
  const { boxes, boxOf } = makeBoxes(graph, neuronsOf, collapsed, isHidden);
  const { edges, edgesInto } = makeEdges(graph, boxOf, isHidden);
  placeBoxes(boxes, edges);
  return { boxes, boxOf, edges, edgesInto, bounds: extent(boxes) };
}

function makeBoxes(graph, neuronsOf, collapsed, isHidden) {
  const boxes = [];
  const boxOf = graph.nodes.map(() => undefined);
  const neuronBox = new Map();
  const addBox = (members, neuron) => {
    const box = { members, neuron, output: members[0], size: neuron < 0 ? NODE : NEURON, id: boxes.length };
    for (const node of members) boxOf[node] = box;
    boxes.push(box);
    return box;
  };
  // A neuron's box takes the place of its output, so that every box comes after its inputs.
  const ends = new Map([...collapsed].map((i) => [graph.neurons[i].nodes.at(-1), i]));
  const inside = new Set([...collapsed].flatMap((i) => graph.neurons[i].nodes));
  for (const { index } of graph.nodes) {
    if (ends.has(index)) {
      const neuron = ends.get(index);
      neuronBox.set(neuron, addBox([index, ...graph.neurons[neuron].nodes.slice(0, -1)], neuron));
    } else if (!inside.has(index) && !isHidden(index)) {
      addBox([index], -1);
    }
  }
  for (const { index } of graph.nodes) {
    if (boxOf[index]) continue; // what is left are the parameters of collapsed neurons
    boxOf[index] = neuronBox.get(neuronsOf[index][0]);
    boxOf[index].members.push(index);
  }
  return { boxes, boxOf };
}

function makeEdges(graph, boxOf, isHidden) {
  const edges = [];
  const edgesInto = graph.nodes.map((node) => node.inputs.map(() => undefined));
  const joined = new Map();
  for (const node of graph.nodes) {
    const operands = node.inputs.filter((x) => x >= 0).length;
    let count = 0;
    node.inputs.forEach((input, place) => {
      if (input < 0) return;
      count++;
      const [from, to] = [boxOf[input], boxOf[node.index]];
      if (from === to || isHidden(input)) return;
      const joins = from.neuron >= 0 || to.neuron >= 0; // into or out of a neuron, one line stands for several
      const key = `${from.id} ${to.id}`;
      let edge = joins ? joined.get(key) : undefined;
      if (!edge) {
        edge = { from, to, port: count / (operands + 1), parts: [] };
        edges.push(edge);
        if (joins) joined.set(key, edge);
      }
      edge.parts.push([node.index, place]);
      edgesInto[node.index][place] = edge;
    });
  }
  spreadPorts(joined.values());
  return { edges, edgesInto };
}

/** The lines into a neuron are spread over its side. */
function spreadPorts(edges) {
  const into = new Map();
  for (const edge of edges) {
    if (edge.to.neuron < 0) continue;
    if (!into.has(edge.to)) into.set(edge.to, []);
    into.get(edge.to).push(edge);
  }
  for (const list of into.values()) list.forEach((edge, i) => (edge.port = (i + 1) / (list.length + 1)));
}

function placeBoxes(boxes, edges) {
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
}

function curve({ from, to, port }, route) {
  const end = { x: to.left - 1, y: to.y + to.size.height * (port - 0.5) };
  const points = [{ x: from.right, y: from.y }, ...route, end];
  let line = `M${round(points[0].x)} ${round(points[0].y)}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const bend = Math.max(20, (b.x - a.x) / 2);
    line += `C${round(a.x + bend)} ${round(a.y)} ${round(b.x - bend)} ${round(b.y)} ${round(b.x)} ${round(b.y)}`;
  }
  return { line, long: Math.max(Math.abs(end.x - points[0].x), Math.abs(end.y - points[0].y)) > LONG };
}

function extent(boxes) {
  const reduce = (side, choose) => boxes.reduce((found, box) => choose(found, box[side]), boxes[0][side]);
  const [left, top] = [reduce('left', Math.min), reduce('top', Math.min) - ROW_GAP];
  return { left, top, width: reduce('right', Math.max) - left, height: reduce('bottom', Math.max) - top };
}
