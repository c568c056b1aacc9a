// The page in an iframe, its step and its leaves kept equal to the model's, which Python and all views share.

// JSON has no infinities and no nan: to Python they travel as text.
const convert = (leaves, each) => Object.fromEntries(Object.entries(leaves).map(([name, x]) => [name, each(x)]));
const toModel = (x) => (Number.isFinite(x) ? x : String(x));
const same = (a, b) => a.step === b.step && Object.keys(b.leaves).every((name) => Object.is(a.leaves[name], b.leaves[name]));

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "Backpropagation, step by step";
  frame.sandbox = "allow-scripts";
  frame.style.cssText = "width: 100%; height: 720px; border: 0";

  let page = null; // the state that the page told last; null until it is ready
  let asked = null; // the state that it was asked to take, until it answers

  const wanted = () => ({ step: model.get("step"), leaves: convert(model.get("leaves"), Number) });
  const toPage = () => {
    if (!page || asked || same(page, wanted())) return; // one question at a time, and no echo
    asked = wanted();
    frame.contentWindow.postMessage({ chainrule: "set", ...asked }, "*");
  };
  const fromPage = ({ source, data }) => {
    if (source !== frame.contentWindow || data?.chainrule !== "state") return;
    const outdated = page === null || (asked && !same(asked, wanted())); // the model has changed since it was asked
    page = { step: data.step, leaves: data.leaves };
    asked = null;
    if (outdated) return toPage();
    if (same(page, wanted())) return;
    asked = page; // the page knows it: it is not asked while the model takes it over
    model.set("step", page.step);
    model.set("leaves", convert(page.leaves, toModel));
    asked = null;
    model.save_changes();
  };

  window.addEventListener("message", fromPage);
  model.on("change:step", toPage);
  model.on("change:leaves", toPage);
  frame.srcdoc = model.get("page");
  el.append(frame);
  return () => {
    window.removeEventListener("message", fromPage);
    model.off("change:step", toPage);
    model.off("change:leaves", toPage);
  };
}

export default { render };
