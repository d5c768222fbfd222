// A page in a frame of a notebook; the regime that is chosen in it is the trait "regime".
// The page is a blob, so that its address may carry the state, and asks for nothing outside itself.

function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = "regimes";
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; border: 1px solid #ccc; border-radius: 6px;`;
  const address = URL.createObjectURL(new Blob([model.get("page")], { type: "text/html" }));
  const fragment = () => (model.get("regime") ? `#regime=${encodeURIComponent(model.get("regime"))}` : "");
  frame.src = address + fragment();

  let ready = false; // until then the page may say a regime that is no longer asked for
  const chosen = (event) => {
    if (!ready || event.source !== frame.contentWindow || !event.data || event.data.diagflow !== "regime") return;
    if (event.data.name === model.get("regime")) return;
    model.set("regime", event.data.name);
    model.save_changes();
  };
  const asked = () => {
    if (frame.contentWindow) frame.contentWindow.postMessage({ diagflow: "regime", name: model.get("regime") }, "*");
  };
  const resized = () => { frame.style.height = `${model.get("height")}px`; };
  frame.addEventListener("load", () => { ready = true; asked(); });
  window.addEventListener("message", chosen);
  model.on("change:regime", asked);
  model.on("change:height", resized);
  el.append(frame);
  return () => {
    window.removeEventListener("message", chosen);
    model.off("change:regime", asked);
    model.off("change:height", resized);
    URL.revokeObjectURL(address);
  };
}

export default { render };
