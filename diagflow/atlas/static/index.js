"use strict";
// The index of an atlas. Filters and the comparison are kept in the fragment of the address.

(() => {
  const record = JSON.parse(document.getElementById("record").textContent);
  const $ = (id) => document.getElementById(id);
  const FILTERS = ["family", "order", "symmetric", "data", "target", "learning", "way"];
  const SAID = { symmetric: { true: "symmetric", false: "asymmetric" } };
  let compared = [];

  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function counted(number) {
    return `${number} ${number === 1 ? "problem" : "problems"}`;
  }

  function values(problem, name) {
    if (name === "learning") return problem.regimes.map(({ learning }) => learning);
    if (name === "way") return Object.keys(problem.ways);
    const value = problem[name];
    return value === null || value === undefined || value === "" ? [] : [String(value).toLowerCase()];
  }

  function prepare() {
    for (const name of FILTERS) {
      const all = [...new Set(record.problems.flatMap((problem) => values(problem, name)))].sort();
      const select = $(name);
      select.append(make("option", { value: "" }, "any"), ...all.map((value) => make("option", { value }, (SAID[name] || {})[value] || value)));
      select.addEventListener("change", keep);
    }
    $("search").addEventListener("input", keep);
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    $("reset").addEventListener("click", () => { for (const name of [...FILTERS, "search"]) $(name).value = ""; compared = []; keep(); });
    const regimes = record.problems.reduce((sum, problem) => sum + problem.regimes.length, 0);
    $("summary").textContent = `${counted(record.problems.length)} with ${regimes} regimes; every map is computed from exactly enumerated coefficients. Choose a problem to walk through it.`;
    $("generator").textContent = `Made by ${record.generator}.`;
    const failed = Object.entries(record.failed);
    if (failed.length) {
      $("failed").hidden = false;
      $("failed").querySelector("ul").append(...failed.map(([name, why]) => make("li", {}, make("b", {}, name), `: ${why}`)));
    }
  }

  function suits(problem) {
    const text = $("search").value.trim().toLowerCase();
    const all = [problem.name, problem.title, problem.words, problem.preset, ...problem.symbols, ...problem.regimes.flatMap((r) => [r.name, r.conditions, r.time])].join(" ").toLowerCase();
    return text.split(/\s+/).every((word) => all.includes(word))
      && FILTERS.every((name) => !$(name).value || values(problem, name).includes($(name).value));
  }

  function keep() {
    const parts = new URLSearchParams();
    for (const name of ["search", ...FILTERS]) if ($(name).value) parts.set(name, $(name).value);
    if (compared.length) parts.set("compare", compared.join("|"));
    history.replaceState(null, "", `#${parts}`);
    show();
  }

  function restore() {
    const parts = new URLSearchParams(location.hash.slice(1));
    for (const name of ["search", ...FILTERS]) $(name).value = parts.get(name) || "";
    compared = (parts.get("compare") || "").split("|").filter((file) => record.problems.some((problem) => problem.file === file)).slice(0, 2);
    show();
  }

  function called(problem) {
    return problem.words.replace(/^the (.)/, (_, first) => first.toUpperCase());
  }

  function card(problem) {
    const picture = make("div");
    picture.innerHTML = problem.thumbnail; // made by diagflow.atlas.shapes, part of this page
    const box = make("input", { type: "checkbox", id: `compare-${problem.file}` });
    box.checked = compared.includes(problem.file);
    box.addEventListener("change", () => {
      compared = box.checked ? [...compared, problem.file].slice(-2) : compared.filter((file) => file !== problem.file);
      keep();
      $(`compare-${problem.file}`).focus();
    });
    const ways = Object.entries(problem.ways).map(([way, count]) => `${count} ${way}`).join(", ");
    return make("li", { class: "tile" }, picture,
      make("div", {}, make("h3", {}, make("a", { href: problem.file }, called(problem))),
        make("p", {}, `${problem.regimes.length} regimes, s ≤ ${problem.last_term}`), make("p", {}, ways),
        problem.preset ? make("p", {}, `is ${problem.preset}`) : null, problem.missing.length ? make("p", {}, "not all of it was finished") : null),
      make("label", {}, box, "compare"));
  }

  function showComparison() {
    const chosen = compared.map((file) => record.problems.find((problem) => problem.file === file));
    $("comparison").hidden = chosen.length < 2;
    if (chosen.length < 2) { $("comparison").querySelector(".frames").replaceChildren(); return; }
    const row = (name, tell) => make("tr", {}, make("th", { scope: "row" }, name), ...chosen.map((problem) => make("td", {}, tell(problem))));
    const of = (learning) => (problem) => problem.regimes.filter((r) => r.learning === learning).map((r) => r.name).join(", ") || "none";
    $("compared").replaceChildren(
      make("tr", {}, make("td"), ...chosen.map((problem) => make("th", { scope: "col" }, make("a", { href: problem.file }, called(problem))))),
      row("symbols", (p) => p.symbols.join(", ")), row("coefficients", (p) => `Y_0 … Y_${p.last_term}`),
      row("regimes", (p) => String(p.regimes.length)), row("free", of("free")), row("lazy", of("lazy")), row("rich", of("rich")),
      row("solved", (p) => Object.entries(p.ways).map(([way, count]) => `${count} ${way}`).join(", ")));
    const frames = $("comparison").querySelector(".frames");
    const wanted = chosen.map(({ file }) => file).join("|");
    if (frames.dataset.shown !== wanted) {
      frames.dataset.shown = wanted;
      frames.replaceChildren(...chosen.map((problem) => make("iframe", { src: problem.file, title: problem.title })));
    }
  }

  function show() {
    const chosen = record.problems.filter(suits);
    $("count").textContent = `${chosen.length} of ${counted(record.problems.length)}`;
    $("cards").replaceChildren(...chosen.map(card));
    showComparison();
    $("regimes").replaceChildren(
      make("tr", {}, make("th", { scope: "col" }, "problem"), make("th", { scope: "col" }, "regimes")),
      ...chosen.map((problem) => make("tr", {}, make("th", { scope: "row" }, make("a", { href: problem.file }, called(problem))),
        make("td", {}, ...problem.regimes.flatMap((regime) => [make("a", {
          class: `tag ${regime.solved.replace(/ /g, "-")}`, href: `${problem.file}#regime=${encodeURIComponent(regime.name)}`,
          title: `${regime.name}: ${regime.solved}, ${regime.learning}, natural T ${regime.time}`,
          "aria-label": `${regime.name}: ${regime.solved}`,
        }, `${regime.name.replace(/-(?=[A-Z])/g, "–")}`), " "])))),
      make("tr", {}, make("th", { scope: "row" }, "key"), make("td", {}, ...["closed-form", "characteristics", "moments", "resummed", "not solved", "not reached"].flatMap((way) => [make("span", { class: `tag ${way.replace(/ /g, "-")}` }, way), " "]))));
  }

  prepare();
  restore();
  window.addEventListener("hashchange", restore);
  document.documentElement.dataset.ready = "yes";
})();
