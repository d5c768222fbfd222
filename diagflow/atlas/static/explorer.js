"use strict";
// The page of one problem. Its state is the fragment of its address: #regime=B-E&s=4&at=p:64,H:32.

(() => {
  const record = JSON.parse(document.getElementById("record").textContent);
  const byName = new Map(record.regimes.map((regime) => [regime.name, regime]));
  const $ = (id) => document.getElementById(id);
  const view = { turn: record.exponents.view ? record.exponents.view.slice() : null, logarithmic: false };
  let state = {};

  // State and address

  function read() {
    const parts = new URLSearchParams(location.hash.slice(1).replace(/\+/g, "%2B"));
    const known = byName.has(parts.get("regime"));
    const orders = Object.keys(record.exponents.orders).map(Number);
    const last = orders[orders.length - 1];
    const s = parts.has("s") ? Number(parts.get("s")) : last;
    const at = {};
    for (const pair of (parts.get("at") || "").split(",")) {
      const [name, value] = pair.split(":");
      if (value !== undefined && Numbers.parsed(value)) at[name] = value;
    }
    return {
      regime: known ? parts.get("regime") : null,
      s: Number.isInteger(s) && s >= 0 && s <= record.last_term ? s : last,
      at: record.symbols.every(({ name }) => at[name]) ? at : null,
    };
  }

  function address({ regime, s, at }) {
    const parts = [];
    if (regime) parts.push(`regime=${encodeURIComponent(regime)}`);
    parts.push(`s=${s}`);
    if (at) parts.push(`at=${Object.entries(at).map(([n, v]) => `${n}:${v}`).join(",")}`);
    return `#${parts.join("&")}`;
  }

  function go(change, { replace = false } = {}) {
    const next = { ...state, ...change };
    history[replace ? "replaceState" : "pushState"](null, "", address(next));
    state = next;
    show();
  }

  // Small parts

  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  function math(latex, display = false) {
    const element = make(display ? "div" : "span", { class: "math" });
    katex.render(latex, element, { displayMode: display, throwOnError: false, strict: false });
    return element;
  }

  function words(text) {
    return document.createTextNode(text);
  }

  function copyButton(label, text) {
    const button = make("button", { type: "button" }, label);
    button.dataset.copy = text;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = make("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1200);
    });
    return button;
  }

  function regimeLink(name) {
    return make("a", { href: address({ ...state, regime: name }) }, Drawing.dashed(name));
  }

  const href = (regime) => address({ ...state, regime: regime.name });

  function described(regime) {
    const conditions = regime.conditions.map(({ text }) => text).join(", ") || "the sizes grow";
    return `Regime ${Drawing.dashed(regime.name)}: ${Drawing.written(conditions).replace(/->/g, "→").replace(/\boo\b/g, "∞")}; natural T ${Drawing.written(regime.natural_time.text)}; learning ${regime.learning}; ${regime.solved}`;
  }

  function percent(share) {
    if (!Number.isFinite(share)) return "unknown";
    return share < 10 ? `${Drawing.tidy(Number((100 * share).toPrecision(2)))} %` : `${Number(share.toPrecision(2))} times the loss`;
  }

  function ofTheLoss(share) {
    return share < 10 ? `about ${percent(share)} of the loss` : Number.isFinite(share) ? `about ${percent(share)}` : "an unknown part of the loss";
  }

  // Numbers

  /** The numbers of the page: a point of one's own, else those of the chosen regime. */
  function numbersAt(name = state.regime) {
    if (state.at) return { T: "1", ...state.at };
    const chosen = name ? byName.get(name).numbers : {};
    const some = Object.keys(chosen).length ? chosen : (record.regimes.find(({ numbers }) => Object.keys(numbers).length) || { numbers: {} }).numbers;
    const all = {};
    for (const { name, grows } of record.symbols) all[name] = some[name] || (grows ? "64" : "1/64");
    return { ...all, T: "1" };
  }

  function exactOf(texts) {
    const exact = {};
    for (const [name, text] of Object.entries(texts)) exact[name] = Numbers.parsed(text);
    return exact;
  }

  let calculation = { key: null, found: null };
  function placed(texts) {
    const key = record.symbols.map(({ name }) => texts[name]).join();
    if (calculation.key !== key) calculation = { key, found: Numbers.where(record, exactOf(texts)) };
    return calculation.found;
  }

  function starOf(texts) {
    const map = record.map;
    if (map.kind === "none") return null;
    const log = (place) => Math.log(Numbers.number(Numbers.parsed(texts[record.symbols[place].name])));
    const unit = log(map.base) / Numbers.plain(map.fixed[map.base]);
    if (!(unit > 0)) return null;
    const fixed = record.symbols.map((symbol, place) => log(place) / unit);
    return { place: [fixed[map.across], map.kind === "plane" ? fixed[map.up] : 0], fixed, unit };
  }

  // Parts of the page

  function showHead() {
    const problem = record.problem;
    if (problem) {
      const preset = problem.preset ? ` This is ${problem.preset} under other names.` : "";
      for (const latex of [problem.model, problem.target, problem.motion]) $("formulas").append(math(latex));
      $("support").textContent = record.support + preset;
    }
    if (record.missing.length) {
      $("missing").hidden = false;
      const few = record.missing.length < 4;
      $("missing").textContent = `Not finished when this page was made: ${few ? record.missing.join("; ") : `${record.missing.length} parts`}.`;
      if (!few) $("missing").after(make("details", {}, make("summary", {}, "Which parts"), make("p", { class: "words" }, `${record.missing.join("; ")}.`)));
    }
    $("generator").textContent = `Made by ${record.generator} from Y_0 … Y_${record.last_term}, enumerated exactly.`;
    const slider = $("order");
    slider.max = record.last_term;
    slider.addEventListener("input", () => go({ s: Number(slider.value) }, { replace: true }));
    if (view.turn) {
      const stage = $("exponents");
      stage.addEventListener("keydown", (event) => {
        const turn = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] }[event.key];
        if (!turn) return;
        event.preventDefault();
        view.turn = [view.turn[0] + turn[0], Math.max(-85, Math.min(85, view.turn[1] + turn[1]))];
        const focused = document.activeElement.dataset.regime;
        showExponents();
        if (focused) { const again = stage.querySelector(`[data-regime="${CSS.escape(focused)}"]`); if (again) again.focus(); }
      });
      let from = null;
      stage.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY, ...view.turn]; });
      window.addEventListener("pointermove", (event) => {
        if (!from || Math.hypot(event.clientX - from[0], event.clientY - from[1]) < 4) return;
        view.turn = [from[2] - 0.6 * (event.clientX - from[0]), Math.max(-85, Math.min(85, from[3] + 0.6 * (event.clientY - from[1])))];
        showExponents();
      });
      window.addEventListener("pointerup", () => { from = null; });
    }
  }

  function showExponents() {
    const regime = byName.get(state.regime);
    const leading = regime && regime.leading[state.s];
    const options = { href, described, selected: state.regime, leading };
    const draw = view.turn && record.exponents.orders[state.s] ? Drawing.polytope(record, state.s, view.turn, options) : Drawing.polygon(record, state.s, options);
    $("exponents").replaceChildren(draw);
    $("order").value = state.s;
    $("order").setAttribute("aria-valuetext", `Y ${state.s} of ${record.last_term}`);
    $("order-name").textContent = `Y${subscript(state.s)}`;
    const rows = record.coefficients[state.s];
    let text = rows ? `Y${subscript(state.s)} has ${rows.length} ${rows.length === 1 ? "monomial" : "monomials"}` : "Too large for this page";
    if (rows && leading) text += `, of which ${leading.length} ${leading.length === 1 ? "leads" : "lead"} in regime ${Drawing.dashed(regime.name)}: `;
    $("order-words").replaceChildren(text);
    if (rows && leading && leading.length) $("order-words").append(math(polynomialLatex(leading.map((k) => rows[k]))));
  }

  function subscript(s) {
    return String(s).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
  }

  function polynomialLatex(rows, most = 8) {
    const parts = rows.slice(0, most).map((row, k) => {
      const negative = row[0].startsWith("-");
      const size = row[0].replace("-", "");
      const [top, bottom] = size.split("/");
      const powers = row.slice(1).map((e, i) => (e ? powerLatex(record.symbols[i].latex, e) : "")).join(" ");
      const factor = bottom ? `\\tfrac{${top}}{${bottom}}` : size === "1" && powers ? "" : size;
      return `${negative ? "-" : k ? "+" : ""}${factor} ${powers}`;
    });
    return parts.join(" ") + (rows.length > most ? ` + \\cdots\\;(${rows.length - most}\\text{ more})` : "");
  }

  function powerLatex(latex, e) {
    if (e === 1) return latex;
    const square = /^(.*)\^\{?2\}?$/.exec(latex); // a variance, the square of a deviation
    return square ? `${square[1]}^{${2 * e}}` : `{${latex}}^{${e}}`;
  }

  /** Whether the map has more dimensions than a plane; then it is drawn through the numbers shown. */
  function sliced(star) {
    return Boolean(star) && record.map.kind === "plane" && record.symbols.length - Object.keys(record.map.tied).length > 3;
  }

  /** The exponents of the symbols that do not vary on the map, in words. */
  function slice(star) {
    const varies = [record.map.across, record.map.up, record.map.base, ...Object.keys(record.map.tied).map(Number)];
    const base = record.symbols[record.map.base].name;
    return record.symbols.map(({ name }, k) => (varies.includes(k) ? null : `${Drawing.written(name)} ~ ${Drawing.written(base)}^${Drawing.tidy(Number(star.fixed[k].toPrecision(3)))}`)).filter(Boolean).join(", ");
  }

  let dragging = false;

  function showMap() {
    const texts = numbersAt();
    const star = starOf(texts);
    const drawn = Drawing.regimeMap(record, {
      href, described, selected: state.regime, star: star && star.place,
      fixed: sliced(star) ? star.fixed : null,
    });
    $("map").replaceChildren(record.map.kind === "none" ? make("p", {}, "One symbol only: there is no map; the regimes are listed below.") : drawn.picture);
    if (sliced(star)) $("map").append(make("p", { class: "words" }, `A slice of the map: here ${slice(star)}, as at the numbers below.`));
    if (!star || !drawn.toScreen) return;
    const [x, y] = drawn.toScreen(star.place);
    const points = [...Array(10).keys()].map((k) => {
      const [r, a] = [k % 2 ? 4.2 : 10, (Math.PI * k) / 5 - Math.PI / 2];
      return `${(r * Math.cos(a)).toFixed(2)} ${(r * Math.sin(a)).toFixed(2)}`;
    });
    const own = Drawing.svg("g", {
      class: "own-point", tabindex: 0, role: "slider", transform: `translate(${x} ${y})`,
      "aria-label": "your point on the map: arrow keys move it", "aria-valuetext": told(texts), "aria-valuenow": 0,
    }, Drawing.svg("circle", { r: 18, class: "touch" }), Drawing.svg("path", { d: `M${points.join("L")}Z` }));
    drawn.picture.append(own);
    const moved = (place, replace) => go({ at: numbersOf(place, star, texts) }, { replace });
    own.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, 0.05], ArrowDown: [0, -0.05] }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      moved([star.place[0] + step[0], star.place[1] + step[1]], true);
      $("map").querySelector(".own-point").focus();
    });
    own.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      dragging = true;
      let last = null;
      const follow = (e) => {
        const corner = $("map").querySelector("svg").createSVGPoint();
        [corner.x, corner.y] = [e.clientX, e.clientY];
        const at = corner.matrixTransform($("map").querySelector("svg").getScreenCTM().inverse());
        last = drawn.toPlace([Math.min(448, Math.max(54, at.x)), Math.min(356, Math.max(12, at.y))]);
        moved(last, true);
      };
      const end = () => {
        window.removeEventListener("pointermove", follow);
        dragging = false;
        if (!last) { chooseUnder(own); return; }
        moved(last, true);
        const own2 = $("map").querySelector(".own-point");
        if (own2) own2.focus();
      };
      window.addEventListener("pointermove", follow);
      window.addEventListener("pointerup", end, { once: true });
    });
  }

  /** A point that is pressed and not moved hides a region: that is what was meant. */
  function chooseUnder(own) {
    const box = own.getBoundingClientRect();
    const under = document.elementsFromPoint(box.left + box.width / 2, box.top + box.height / 2).find((element) => element.closest("#map a[data-regime]"));
    if (under) go({ regime: under.closest("a").dataset.regime });
  }

  /** Numbers at a place of the map, with the size that exponents are measured by kept. */
  function numbersOf(place, star, texts) {
    const at = { ...texts };
    const put = (k, value) => { at[record.symbols[k].name] = Number(Math.exp(value * star.unit).toPrecision(4)).toString(); };
    put(record.map.across, place[0]);
    if (record.map.kind === "plane") put(record.map.up, place[1]);
    for (const [tied, row] of Object.entries(record.map.tied)) {
      const fixed = star.fixed.slice();
      fixed[record.map.across] = place[0];
      fixed[record.map.up] = place[1];
      put(Number(tied), row.reduce((sum, factor, i) => sum + Numbers.plain(factor) * fixed[i], 0));
    }
    return at;
  }

  function told(texts) {
    return Object.entries(texts).map(([name, text]) => `${Drawing.written(name)} = ${text}`).join(", ");
  }

  function showForm() {
    const form = $("numbers");
    const texts = numbersAt();
    if (!form.children.length) {
      for (const name of [...record.symbols.map((symbol) => symbol.name), "T"]) {
        const input = make("input", { type: "text", id: `number-${name}`, name, autocomplete: "off", inputmode: "text", spellcheck: "false" });
        const symbol = record.symbols.find((s) => s.name === name);
        const label = make("label", { for: `number-${name}` }, math(symbol ? symbol.latex : "T"));
        form.append(make("div", {}, label, input));
        input.addEventListener("input", () => {
          const valid = Boolean(Numbers.parsed(input.value));
          input.setAttribute("aria-invalid", String(!valid));
          if (valid) go({ at: { ...numbersAt(), [name]: input.value.replace(/\s/g, "") } }, { replace: true });
        });
      }
      form.append(
        make("button", { type: "submit" }, "Show the nearest regime"),
        make("button", { type: "button", id: "forget" }, "Forget my point")
      );
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        go({ at: numbersAt(), regime: placed(numbersAt()).closest.name });
      });
      $("forget").addEventListener("click", () => go({ at: null }));
    }
    for (const input of form.querySelectorAll("input")) {
      if (input !== document.activeElement) { input.value = texts[input.name]; input.setAttribute("aria-invalid", "false"); }
    }
    $("forget").disabled = !state.at;
    const { closest, table, limit } = placed(texts);
    const least = table.find(({ regime }) => regime === closest).share;
    const better = percent(table[0].share) !== percent(least);
    $("nearest").replaceChildren(
      state.at ? "At your point the nearest regime is " : "At these numbers the nearest regime is ", regimeLink(closest.name),
      `; it neglects ${ofTheLoss(least)}. `,
      ...(better ? [`Of all regimes that neglect at most ${percent(limit)} it is the face of the lowest dimension; `, regimeLink(table[0].regime.name), ` neglects least, ${ofTheLoss(table[0].share)}. `] : []),
      ...(state.regime && state.regime !== closest.name && !(better && state.regime === table[0].regime.name) ? [`Regime ${Drawing.dashed(state.regime)}, shown below, neglects ${ofTheLoss(table.find(({ regime }) => regime.name === state.regime).share)}.`] : [])
    );
    if ($("shares").open) showShares(table);
  }

  function showShares(table) {
    const rows = table.map(({ regime, share }) => make("tr", {}, make("th", { scope: "row" }, regimeLink(regime.name)), make("td", {}, percent(share))));
    $("shares").lastElementChild.replaceChildren(make("table", {}, make("tr", {}, make("th", { scope: "col" }, "regime"), make("th", { scope: "col" }, "neglected, at most")), ...rows));
  }

  function orders(list) {
    if (list.length > 2 && list.every((s, k) => s === list[0] + k)) return `${list[0]} … ${list[list.length - 1]}`;
    return list.join(", ");
  }

  function certificate(regime) {
    const { certificate: known, origin } = regime.solution;
    if (!known.compared.length) return origin === "resummed" ? "None: the curve is made of the exact coefficients; its error is estimated." : "Nothing was compared.";
    const failed = known.compared.filter((s) => !known.matched.includes(s));
    const said = failed.length ? `FAILS at s = ${orders(failed)}.` : `The Taylor coefficients equal the exact leading coefficients at s = ${orders(known.matched)}.`;
    return said + (known.left_out.length ? ` Those at s = ${orders(known.left_out)} are of lower order than the dynamics and left out.` : "");
  }

  function showRegime() {
    const regime = byName.get(state.regime);
    const body = $("regime-body");
    if (!regime) {
      $("regime-title").textContent = "Choose a regime";
      body.replaceChildren(make("p", {}, "Click a vertex, an edge, a face, a region, a wall or a corner above, or a name in the list below."));
      return;
    }
    $("regime-title").textContent = `Regime ${Drawing.dashed(regime.name)}`;
    body.replaceChildren(...regimeParts(regime, numbersAt(), true));
  }

  /** Everything about a regime; on paper, where nothing is clicked, without controls and unfolded. */
  function regimeParts(regime, texts, live) {
    const facts = make("dl", { class: "facts" });
    const fact = (name, ...value) => facts.append(make("dt", {}, name), make("dd", {}, ...value));
    fact("Scaling condition", ...(regime.conditions.length ? regime.conditions.flatMap(({ latex }, k) => [k ? ", " : "", math(latex)]) : ["the sizes grow"]));
    fact("Natural time", math(`T \\asymp ${regime.natural_time.latex}`));
    fact("How much is learnt", regime.learning);
    if (!regime.decided) fact("Undecided", "the known coefficients do not decide whether this is a regime of all s: they obey no law of the vertices here");
    fact("Face", `dimension ${regime.dimension}`, ...(regime.faces.length ? [", contains ", ...joined(regime.faces)] : []), ...(regime.neighbours.length ? ["; neighbours ", ...joined(regime.neighbours)] : []));
    const solution = regime.solution;
    if (solution) {
      fact("Solved", `${[...new Set([solution.method, solution.origin])].join(", ")}; holds for ${solution.validity}`);
      fact("Certificate", certificate(regime));
      if (solution.hierarchy) fact("Hierarchy", solution.hierarchy);
      fact("Source", solution.source);
    } else fact("Solved", regime.unsolved || "not asked for");
    const parts = [facts];
    if (solution && solution.formula) parts.push(...formulaParts(solution.formula, live));
    const figures = make("div", { class: "figures" }, ownCurve(regime, texts, live), simulated(regime, live));
    parts.push(make("h3", {}, "The loss"), ...(live ? [logarithmSwitch()] : []), figures);
    if (solution && solution.steps.length) {
      const list = make("ol", { class: "steps" }, ...solution.steps.map((step) => {
        const item = make("li", { class: "step" }, make("b", {}, step.title), step.text ? `: ${step.text}` : "");
        if (step.latex) item.append(math(step.latex, true));
        return item;
      }));
      parts.push(make("h3", {}, solution.origin === "given" ? "Derivation, as given" : "Derivation, from the enumerated coefficients"), list);
    }
    if (regime.dynamics) parts.push(...dynamics(regime.dynamics, live));
    return parts;
  }

  function joined(names, most = 8) {
    const parts = names.slice(0, most).flatMap((name, k) => [k ? ", " : "", regimeLink(name)]);
    return names.length > most ? [...parts, `, and ${names.length - most} more`] : parts;
  }

  function formulaParts(formula, live) {
    const shown = make("div", { class: "formula" }, math(`\\mathbb{E}[L(t)] \\sim ${formula.display}`, true));
    const defined = formula.equations.length ? make("p", { class: "where" }, "where ", ...formula.equations.flatMap((latex, k) => [k ? ", " : "", math(latex)])) : null;
    const written = [make("h3", {}, "Formula"), shown, ...(defined ? [defined] : [])];
    if (!live) return written;
    const code = make("details", {}, make("summary", {}, "As Python"), make("pre", {}, formula.python));
    return [...written, make("div", { class: "buttons" }, copyButton("Copy LaTeX", formula.latex), copyButton("Copy Python", formula.python)), code];
  }

  function logarithmSwitch() {
    const button = make("button", { type: "button", "aria-pressed": String(view.logarithmic), id: "logarithmic" }, "Logarithmic axes");
    button.addEventListener("click", () => { view.logarithmic = !view.logarithmic; showRegime(); $("logarithmic").focus(); });
    return make("div", { class: "buttons" }, button);
  }

  function ownCurve(regime, texts, live) {
    const exact = exactOf(texts);
    const numbers = {};
    for (const [name, value] of Object.entries(exact)) numbers[name] = Numbers.number(value);
    const holder = make("figure", { class: "figure", ...(live ? { id: "own-curve" } : {}) });
    const { known, table } = placed(texts);
    const found = Numbers.curve(record, regime, numbers, known);
    if (!(found.stop > found.start)) {
      holder.append(make("figcaption", {}, `At ${told(texts)} the curve of this regime is not known here.`));
      return holder;
    }
    const { picture, parts, how, largest } = Curves.own(found, `loss of regime ${regime.name} at ${told(texts)}`, view.logarithmic);
    const value = found.loss(found.stop / 2 + found.start / 2);
    const { share } = table.find((entry) => entry.regime === regime);
    const apart = share > 0.5 ? ` At these numbers the regime neglects ${ofTheLoss(share)}: its curve is not the loss there.` : "";
    holder.append(picture, Curves.legend(parts), make("figcaption", { class: "words" },
      `At ${told(texts)}, ${how}${largest > 0 ? `, error at most ${Drawing.tidy(Number(largest.toPrecision(2)))}` : ""}. E[L(${Drawing.tidy((found.start + found.stop) / 2)})] ≈ ${Number(value.toPrecision(8))}.${apart}`));
    holder.dataset.how = found.how;
    return holder;
  }

  function simulated(regime, live) {
    const holder = make("figure", { class: "figure", ...(live ? { id: "simulated" } : {}) });
    const data = regime.experiment;
    if (!data) {
      holder.append(make("figcaption", { class: "words" }, regime.no_experiment ? `No simulation: ${regime.no_experiment}.` : "There is no simulation of this regime on this page."));
      return holder;
    }
    const { picture, parts } = Curves.experiment(data, `theory and simulation of regime ${regime.name} at ${told(data.at)}`, view.logarithmic);
    holder.append(picture, Curves.legend(parts), make("figcaption", { class: "words" },
      `Simulated at ${told(data.at)}; largest deviation ${percent(data.largest)}${data.scale ? ` of ${Drawing.tidy(data.scale)}` : ""}; ${data.judged || `theory and simulation: ${data.verdict}`}.`));
    return holder;
  }

  function picture(markup) {
    const card = make("div", { class: "card" });
    card.innerHTML = markup; // made by diagflow.drawing, part of this page
    return card;
  }

  function dynamics(data, live) {
    const cores = make("div", { class: "cards" }, ...data.cores.map((core) => {
      const card = picture(core.svg);
      card.append(make("div", { class: "caption" }, math(`${core.name}(0) = ${core.initial}`), make("br"), `scale ${core.scale}`));
      return card;
    }));
    const potential = make("div", { class: "cards" }, ...data.potential.map((term) => {
      const card = make("div", { class: "card" }, make("span", { class: "product" }, math(term.coefficient), ...term.factors.flatMap((factor) => {
        const inner = make("span");
        inner.innerHTML = factor.svg;
        return [inner, factor.power > 1 ? make("sup", {}, String(factor.power)) : null];
      }).filter(Boolean)));
      return card;
    }));
    const more = (count, what) => (count ? make("p", { class: "words" }, `and ${count} more ${what}`) : null);
    const inside = () => [make("h3", {}, "Cores"), cores, more(data.cores_left_out, "cores") || "", make("h3", {}, "Reduced potential, a sum of"), potential,
      more(data.potential_left_out, "terms") || "", make("div", { class: "formula" }, math(data.equations, true)), make("p", { class: "words" }, `Certificate of the derivation: ${data.certificate}`)];
    if (!live) return inside();
    const holder = make("details", { id: "cores" }, make("summary", {}, `Cores and reduced potential (${data.kind}), as diagrams`));
    holder.addEventListener("toggle", () => {
      if (holder.dataset.drawn || !holder.open) return;
      holder.dataset.drawn = "yes";
      holder.append(...inside());
    });
    return [holder];
  }

  function showTable() {
    const table = $("table");
    const head = ["regime", "scaling condition", "natural T", "learning", "solved"].map((text) => make("th", { scope: "col" }, text));
    table.replaceChildren(make("tr", {}, ...head), ...record.regimes.map((regime) => {
      const row = make("tr", regime.name === state.regime ? { class: "current" } : {},
        make("th", { scope: "row" }, regimeLink(regime.name)),
        make("td", {}, ...regime.conditions.flatMap(({ latex }, k) => [k ? ", " : "", math(latex)])),
        make("td", {}, math(regime.natural_time.latex)),
        make("td", {}, regime.learning), make("td", {}, regime.solved));
      return row;
    }));
  }

  function showDiagrams() {
    const holder = $("diagrams-details");
    const data = record.diagrams;
    if (!data) { holder.replaceWith(make("p", { class: "words" }, "They were not drawn for this page.")); return; }
    holder.addEventListener("toggle", () => { if (holder.open) drawDiagrams(); });
  }

  function drawDiagrams() {
    const data = record.diagrams;
    const holder = $("diagrams-details");
    const inside = holder && holder.lastElementChild;
    if (!data || !inside || inside.children.length) return;
    const cards = data.items.map((item) => {
      const card = picture(item.svg);
      card.append(...item.caption.map((latex) => make("div", { class: "caption" }, math(latex))));
      return card;
    });
    inside.append(make("p", { class: "words" }, "Every node is a summed index, every line an entry of a tensor; dashed lines are not learnt. Each diagram stands for all that differ by a permutation of alike tensors; E is its expectation."),
      make("div", { class: "cards" }, ...cards), data.left_out ? make("p", { class: "words" }, `and ${data.left_out} more; see diagflow draw`) : "");
  }

  const PAPER = 600; // pixels that a formula has between the margins of a sheet
  const PRINTED = 40 / 3; // those of the letters there, 10pt

  /** Smaller letters for formulas that are wider than a sheet, where nothing can be scrolled. */
  function fitted(printed) {
    for (const element of printed.querySelectorAll(".formula, .step > .math")) {
      const letters = parseFloat(getComputedStyle(element).fontSize);
      const width = Math.max(0, ...[...element.querySelectorAll(".katex-html")].map((line) =>
        [...line.children].reduce((sum, base) => sum + base.getBoundingClientRect().width, 0)));
      const share = (PAPER * letters) / (width * PRINTED);
      if (share < 1) element.style.fontSize = `${(100 * share).toFixed(1)}%`;
    }
  }

  /** On paper every regime is printed at numbers of its own, and everything is unfolded. */
  function unfold() {
    const printed = make("div", { id: "printed" }, ...record.regimes.map((regime) => make("section", { class: "printed-regime" },
      make("h2", {}, `Regime ${Drawing.dashed(regime.name)}`), ...regimeParts(regime, numbersAt(regime.name), false))));
    $("regime").after(printed);
    fitted(printed);
    drawDiagrams();
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      details.dataset.folded = "yes";
    }
  }

  function fold() {
    const printed = $("printed");
    if (printed) printed.remove();
    for (const details of document.querySelectorAll("details[data-folded]")) {
      details.open = false;
      delete details.dataset.folded;
    }
  }

  /** A notebook that shows this page in a frame is told the regime, and may choose one. */
  function tell() {
    if (window.parent !== window) window.parent.postMessage({ diagflow: "regime", name: state.regime || "" }, "*");
  }

  function asked(event) {
    if (event.source !== window.parent || !event.data || event.data.diagflow !== "regime") return;
    const name = event.data.name || null;
    if (name !== state.regime && (name === null || byName.has(name))) go({ regime: name });
  }

  function show() {
    tell();
    showExponents();
    showMap();
    showForm();
    showRegime();
    if (!dragging) showTable();
    document.title = `${state.regime ? `${Drawing.dashed(state.regime)} · ` : ""}${record.problem ? record.problem.title : "regimes"}`;
  }

  let jumps = false; // whether the link that was followed is far from what it shows

  function fromAddress(focus) {
    const before = state.regime;
    state = read();
    show();
    if (focus && state.regime && state.regime !== before) {
      $("regime").focus({ preventScroll: true });
      if (jumps) $("regime").scrollIntoView();
    }
    jumps = false;
  }

  /** Links of the tables, on narrow screens of the pictures, and by keyboard lead to the regime. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href*='regime=']");
    jumps = Boolean(link) && (!link.closest(".picture") || event.detail === 0 || window.innerWidth < 736);
  }, { capture: true });

  // Hover and focus tell what a face is; the link itself says the same to screen readers.
  function tip(event) {
    const anchor = event.target.closest && event.target.closest(".regime-link");
    const box = $("tooltip");
    box.hidden = !anchor;
    if (!anchor) return;
    box.textContent = anchor.getAttribute("aria-label");
    const around = anchor.getBoundingClientRect();
    const [x, y] = event.type === "focusin" ? [around.left + around.width / 2, around.top + around.height / 2] : [event.clientX, event.clientY];
    box.style.left = `${Math.max(8, Math.min(x + 14, window.innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(8, Math.min(y + 18, window.innerHeight - box.offsetHeight - 8))}px`;
  }

  showHead();
  showDiagrams();
  fromAddress(false);
  window.addEventListener("popstate", () => fromAddress(true));
  window.addEventListener("hashchange", () => { if (address(state) !== location.hash) fromAddress(true); });
  document.addEventListener("pointermove", tip);
  document.addEventListener("focusin", tip);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") $("tooltip").hidden = true; });
  document.querySelector("[data-jump]").addEventListener("click", (event) => {
    event.preventDefault();
    $("all-regimes").focus();
    $("all-regimes").scrollIntoView();
  });
  $("shares").addEventListener("toggle", () => { if ($("shares").open) showShares(placed(numbersAt()).table); });
  if (window.parent !== window) {
    window.addEventListener("message", asked);
    // A frame need not be allowed to follow links, even to itself.
    document.addEventListener("click", (event) => {
      const link = event.target.closest && event.target.closest("a");
      const wanted = link && link.getAttribute("href");
      if (!wanted || !wanted.startsWith("#regime=")) return;
      event.preventDefault();
      history.pushState(null, "", wanted);
      fromAddress(true);
    });
  }
  window.addEventListener("beforeprint", () => { fold(); unfold(); });
  window.addEventListener("afterprint", fold);
  document.documentElement.dataset.ready = "yes";
})();
