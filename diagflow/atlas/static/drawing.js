"use strict";
// Pictures of polygons, polytopes and regime maps as SVG; what is drawn are links to regimes.

const Drawing = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /** An element of SVG with attributes and children. */
  function svg(name, attributes = {}, ...children) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) element.setAttribute(key, value);
    }
    for (const child of children) {
      if (child !== null) element.append(child);
    }
    return element;
  }

  /** A picture on a field of given size with a name for screen readers. */
  function field(width, height, label) {
    return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label });
  }

  /** Names of regimes with dashes between their vertices; words such as mean-field keep their hyphen. */
  function dashed(name) {
    return name.replace(/-(?=[A-Z])/g, "–");
  }

  /** A monomial as people write it by hand. */
  function written(text) {
    const raised = (power) => (/^-?\d+$/.test(power) ? power.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])) : `^(${power})`);
    return text
      .replace(/sigma2(_\w+)?\*\*\(?(-?\d+)(?:\/(\d+))?\)?/g, (all, rest, top, bottom) => {
        const twice = bottom === "2" ? top : bottom ? `${2 * top}/${bottom}` : String(2 * top);
        return `σ${rest || ""}${twice === "1" ? "" : raised(twice)}`;
      })
      .replace(/sigma2/g, "σ²")
      .replace(/\*\*\(?(-?\d+(?:\/\d+)?)\)?/g, (all, power) => raised(power))
      .replace(/\*/g, "·");
  }

  function short(name, most = 26) {
    const text = dashed(name);
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  }

  /** A text at a place; the parts of a long name, as of "small-data & free", stand below each other. */
  function titled(x, y, name, attributes, most = 26) {
    const parts = name.split(" & ");
    if (parts.length < 2) return svg("text", { x, y, ...attributes }, short(name, most));
    const lines = parts.map((part, k) => svg("tspan", { x, dy: k ? "1.1em" : 0 }, k < parts.length - 1 ? `${part} &` : part));
    return svg("text", { x, y, ...attributes }, ...lines);
  }

  /** How many lines `titled` needs for a name. */
  const lineCount = (name) => name.split(" & ").length;

  /** A link to a regime around what is drawn, with its description as a title. */
  function link(regime, href, described, ...children) {
    const anchor = svg("a", {
      href, class: "regime-link", "data-regime": regime, "aria-label": described, tabindex: 0,
    });
    anchor.append(svg("title", {}, described), ...children);
    return anchor;
  }

  // The regime map

  function area(points) {
    return Math.abs(points.reduce((sum, [x, y], k) => {
      const [u, v] = points[(k + 1) % points.length];
      return sum + (x * v - u * y) / 2;
    }, 0));
  }

  /** Names of regions and their times, those of the largest first; what would cover another is left to the tip. */
  function named(labels) {
    const taken = [];
    const result = [];
    const free = (x, y, width, height) => {
      const box = [x - width / 2, y - height, x + width / 2, y];
      const covered = taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
      if (!covered) taken.push(box);
      return !covered;
    };
    const ordered = labels.slice().sort((a, b) => b.size - a.size);
    for (const { x, y, more, name } of ordered) {
      const longest = Math.max(...name.split(" & ").map((part) => Math.min(part.length, 26)));
      if (free(x, y - 1 + more / 2, 7.5 * longest, 12 + more)) result.push(titled(x, y - 3 - more / 2, name, { class: "name" }));
    }
    for (const { x, y, more, time } of ordered) {
      if (free(x, y + 15 + more / 2, 6 * time.length, 11)) result.push(svg("text", { x, y: y + 13 + more / 2, class: "small" }, time));
    }
    return result;
  }

  function clipped(region, [a, b, c]) {
    const scale = Math.abs(a) + Math.abs(b) + Math.abs(c) || 1;
    const height = ([x, y]) => (a * x + b * y + c) / scale;
    const kept = [];
    const add = (place) => {
      if (!kept.some(([x, y]) => Math.abs(x - place[0]) + Math.abs(y - place[1]) < 1e-9)) kept.push(place);
    };
    region.forEach((start, k) => {
      const end = region[(k + 1) % region.length];
      const [before, after] = [height(start), height(end)];
      if (before >= -1e-10) add(start);
      if ((before > 1e-10 && after < -1e-10) || (before < -1e-10 && after > 1e-10)) {
        const t = before / (before - after);
        add([start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])]);
      }
    });
    return kept;
  }

  /** The plane of scalings of a map, with exponents that a point of one's own may have fixed. */
  function plane(map, fixed = null) {
    const base = (fixed || map.fixed.map(Numbers.plain)).slice();
    const tied = Object.entries(map.tied).map(([place, row]) => [Number(place), row.map(Numbers.plain)]);
    base[map.across] = 0;
    if (map.kind === "plane") base[map.up] = 0;
    const line = (normal) => {
      const entries = normal.slice();
      for (const [place, factors] of tied) {
        factors.forEach((factor, i) => { entries[i] += normal[place] * factor; });
      }
      const constant = entries.reduce((sum, n, i) => sum + n * base[i], 0);
      return [entries[map.across], map.kind === "plane" ? entries[map.up] : 0, constant];
    };
    const section = (cone, window) => {
      let region = window;
      const opposite = cone.equations.map((row) => row.map((x) => -x));
      for (const normal of [...cone.equations, ...opposite, ...cone.inequalities]) {
        region = region.length ? clipped(region, line(normal)) : region;
      }
      return region;
    };
    const inside = (cone, [x, y]) =>
      cone.inequalities.every((normal) => {
        const [a, b, c] = line(normal);
        return a * x + b * y + c > 1e-9;
      });
    return { section, inside };
  }

  function middle(places) {
    const n = places.length;
    return [places.reduce((s, p) => s + p[0], 0) / n, places.reduce((s, p) => s + p[1], 0) / n];
  }

  const isDeviation = (record, place) => record.symbols[place].name.startsWith("sigma2");

  function exponentName(record, place) {
    const name = record.symbols[place].name;
    return `α(${isDeviation(record, place) ? name.replace("sigma2", "σ") : name})`;
  }

  /**
   * The regime map: regions, walls and corners are links. `star` is the place of a point of one's
   * own in exponents; `fixed` the exponents of the symbols that do not vary.
   */
  function regimeMap(record, { href, described, selected, star, fixed }) {
    const map = record.map;
    const [width, height] = [460, map.kind === "line" ? 150 : 400];
    const frame = { left: 54, right: 12, top: 12, bottom: 44 };
    const picture = field(width, height, "regime map: the scalings of the sizes, divided into regimes");
    if (map.kind === "none") return { picture, toScreen: null, toPlace: null };
    const flat = map.kind === "line";
    let [left, bottom, right, top] = map.window.map(Numbers.plain);
    if (star && star.every(Number.isFinite)) {
      const [wide, high] = [(right - left) / 12, (top - bottom) / 12];
      if (star[0] < left) left = star[0] - wide;
      if (star[0] > right) right = star[0] + wide;
      if (!flat && star[1] < bottom) bottom = star[1] - high;
      if (!flat && star[1] > top) top = star[1] + high;
    }
    const toScreen = ([x, y]) => [
      frame.left + ((x - left) / (right - left)) * (width - frame.left - frame.right),
      flat ? 60 : height - frame.bottom - ((y - bottom) / (top - bottom)) * (height - frame.top - frame.bottom),
    ];
    const toPlace = ([u, v]) => [
      left + ((u - frame.left) / (width - frame.left - frame.right)) * (right - left),
      flat ? 0 : bottom + ((height - frame.bottom - v) / (height - frame.top - frame.bottom)) * (top - bottom),
    ];
    const cut = plane(map, fixed);
    const window = [[left, bottom], [right, bottom], [right, top], [left, top]];
    const pieces = record.regimes
      .map((regime) => {
        let places = cut.section(regime.cone, window);
        if (flat && places.length) {
          const xs = places.map(([x]) => x);
          const [low, high] = [Math.min(...xs), Math.max(...xs)];
          places = high - low > 1e-9 ? [[low, bottom], [high, bottom], [high, top], [low, top]] : [[low, bottom]];
        }
        return { regime, places };
      })
      .filter(({ regime, places }) => places.length && cut.inside(regime.cone, middle(places)));
    const order = flat ? [4, 1] : [9, 2, 1];
    const kind = (places) => (places.length > 2 ? order[0] : places.length);
    pieces.sort((a, b) => kind(b.places) - kind(a.places));
    const texts = [];
    const labels = [];
    for (const { regime, places } of pieces) {
      const on = regime.name === selected ? " selected" : "";
      const points = places.map(toScreen);
      const label = described(regime);
      if (flat) {
        const [x] = points[0];
        const shape = places.length > 2
          ? svg("rect", { x, y: 30, width: points[1][0] - x, height: 60, class: `region ${regime.learning}${on}` })
          : svg("line", { x1: x, x2: x, y1: 24, y2: 96, class: `wall${on}` });
        picture.append(link(regime.name, href(regime), label, shape));
        const text = places.length > 2 ? [(x + points[1][0]) / 2, 64] : [x, 18];
        texts.push(svg("text", { x: text[0], y: text[1], class: "name" }, short(regime.name)));
      } else if (places.length > 2) {
        const shape = svg("polygon", { points: points.join(" "), class: `region ${regime.learning}${on}` });
        picture.append(link(regime.name, href(regime), label, shape));
        const [x, y] = middle(points);
        const more = 13 * (lineCount(regime.name) - 1);
        labels.push({ size: area(points), x, y, more, name: regime.name, time: `T ~ ${written(regime.natural_time.text)}` });
      } else if (places.length === 2) {
        const [[x1, y1], [x2, y2]] = points;
        const moves = regime.moves ? " moves" : "";
        picture.append(link(regime.name, href(regime), label,
          svg("line", { x1, y1, x2, y2, class: "touch" }),
          svg("line", { x1, y1, x2, y2, class: `wall${moves}${on}` })));
      } else {
        const [cx, cy] = points[0];
        picture.append(link(regime.name, href(regime), label,
          svg("circle", { cx, cy, r: 14, class: "touch" }),
          svg("circle", { cx, cy, r: 5.5, class: `corner${on}` })));
      }
    }
    picture.append(...texts, ...named(labels));
    axes(picture, frame, width, height, {
      x: [left, right], y: flat ? null : [bottom, top], toScreen,
      half: [isDeviation(record, map.across), !flat && isDeviation(record, map.up)],
      names: [
        `${exponentName(record, map.across)} / ${exponentName(record, map.base)}`,
        flat ? "" : `${exponentName(record, map.up)} / ${exponentName(record, map.base)}`,
      ],
    });
    return { picture, toScreen, toPlace };
  }

  function ticks(low, high, most = 6) {
    const raw = (high - low) / most;
    const size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((f) => f * size).find((s) => s >= raw) || 10 * size;
    const result = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) result.push(k * step);
    return result;
  }

  /** A number with few digits; very large and very small ones as powers of ten. */
  function tidy(value, most = 4) {
    const text = Number(value.toPrecision(most)).toString();
    if (text.length < most + 3 && !text.includes("e")) return text;
    const [digits, power] = Number(value.toPrecision(most)).toExponential().split("e");
    const shown = `${digits}·10${Number(power).toString().replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`;
    return (Math.abs(power) > 3 ? shown : text).replace(/^(-?)1·/, "$1");
  }

  /** Numbers with as many digits as tell them apart. */
  function tellApart(values) {
    for (let most = 4; most < 15; most += 1) {
      const texts = values.map((value) => tidy(value, most));
      if (new Set(texts).size === values.length) return texts;
    }
    return values.map(String);
  }

  /** Ticks and names; exponents of σ² are shown as those of σ, which are half as large. */
  function axes(picture, frame, width, height, { x, y, toScreen, half, names }) {
    const unit = half.map((flag) => (flag ? 0.5 : 1));
    const base = y === null ? 96 : height - frame.bottom;
    for (const value of ticks(x[0] * unit[0], x[1] * unit[0])) {
      const [u] = toScreen([value / unit[0], y === null ? 0 : y[0]]);
      picture.append(svg("line", { x1: u, x2: u, y1: base, y2: base + 4, class: "tick" }),
        svg("text", { x: u, y: base + 16, class: "small" }, tidy(value)));
    }
    picture.append(svg("text", { x: (frame.left + width - frame.right) / 2, y: base + 36, class: "axis" }, names[0]));
    if (y === null) return;
    for (const value of ticks(y[0] * unit[1], y[1] * unit[1])) {
      const [, v] = toScreen([x[0], value / unit[1]]);
      picture.append(svg("line", { x1: frame.left - 4, x2: frame.left, y1: v, y2: v, class: "tick" }),
        svg("text", { x: frame.left - 7, y: v + 4, class: "small end" }, tidy(value)));
    }
    const [u, v] = [14, (frame.top + height - frame.bottom) / 2];
    picture.append(svg("text", { x: u, y: v, class: "axis", transform: `rotate(-90 ${u} ${v})` }, names[1]));
  }

  // Exponents

  const KINDS = { v: "vertex", f: "on-face", o: "optimal", d: "dominated" };

  /** The projected points of Y_s with its edges; faces are links to their regimes. */
  function polygon(record, s, { href, described, selected, leading }) {
    const data = record.exponents.orders[s];
    const [width, height] = [460, 400];
    const frame = { left: 48, right: 14, top: 14, bottom: 44 };
    const picture = field(width, height, `exponents of the monomials of Y_${s}`);
    if (!data) return picture;
    const shown = record.exponents.axes;
    const [i, j] = [shown[0], shown[shown.length - 1]];
    const every = Object.values(record.exponents.orders).filter((o, k, all) => all.length < 2 || o === data || k === all.length - 1);
    const range = (place) => {
      const values = every.flatMap((order) => order.points.map((point) => point[place]));
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const room = Math.max(0.12 * (high - low), 0.5);
      return [low - room, high + room];
    };
    const [x, y] = [range(i), shown.length > 1 ? range(j) : [-1, 1]];
    const toScreen = ([a, b]) => [
      frame.left + ((a - x[0]) / (x[1] - x[0])) * (width - frame.left - frame.right),
      height - frame.bottom - ((b - y[0]) / (y[1] - y[0])) * (height - frame.top - frame.bottom),
    ];
    const at = (point) => toScreen([point[i], shown.length > 1 ? point[j] : 0]);
    const places = data.vertices.map(at);
    axes(picture, frame, width, height, {
      x, y, toScreen, half: [false, false],
      names: [`power of ${written(record.symbols[i].name)}`, shown.length > 1 ? `power of ${written(record.symbols[j].name)}` : ""],
    });
    const regimes = new Map(record.regimes.map((regime) => [regime.name, regime]));
    const around = (names, ...shapes) => {
      const regime = regimes.get(names.includes(selected) ? selected : names[0]);
      return regime ? link(regime.name, href(regime), described(regime), ...shapes) : svg("g", {}, ...shapes);
    };
    for (const face of data.faces.filter(({ dimension }) => dimension === 2)) {
      const corners = cyclic(face.vertices.map((k) => places[k]));
      const regime = regimes.get(face.regimes[0]);
      const on = face.regimes.includes(selected) ? " selected" : "";
      picture.append(around(face.regimes, svg("polygon", {
        points: corners.join(" "), class: `face ${regime ? regime.learning : "unknown"}${on}`,
      })));
    }
    for (const face of data.faces.filter(({ dimension }) => dimension === 1)) {
      const [[x1, y1], [x2, y2]] = face.vertices.map((k) => places[k]);
      const on = face.regimes.includes(selected) ? " selected" : "";
      picture.append(around(face.regimes,
        svg("line", { x1, y1, x2, y2, class: "touch" }), svg("line", { x1, y1, x2, y2, class: `edge${on}` })));
    }
    const kept = new Set((leading || []).map((k) => record.coefficients[s][k].slice(1).join()));
    const drawn = new Set();
    ["d", "o", "f", "v"].forEach((kind) => data.points.forEach((point, k) => {
      if (data.kinds[k] !== kind) return;
      const [cx, cy] = at(point);
      const leads = kept.has(point.join());
      const key = `${cx},${cy},${leads}`;
      if (kind !== "v" && drawn.has(key)) return;
      drawn.add(key);
      picture.append(svg("circle", {
        cx, cy, r: leads ? 6 : kind === "d" ? 2.5 : 4.5, class: `point ${KINDS[kind]}${leads ? " leads" : ""}`,
      }));
    }));
    const centre = middle(places);
    const corners = new Map(); // vertices that differ in powers that are not drawn share a place
    data.vertices.forEach((vertex, k) => {
      const key = places[k].map((v) => v.toFixed(2)).join();
      const single = data.names[k].filter((name) => regimes.get(name).dimension === 0);
      const entry = corners.get(key) || { place: places[k], names: [] };
      entry.names.push(...(single.length ? single : data.names[k].slice(0, 1)));
      corners.set(key, entry);
    });
    const inside = (x, letters) => Math.min(width - Math.max(20, 4.4 * letters), Math.max(24, 4.4 * letters, x));
    corners.forEach(({ place: [cx, cy], names }) => {
      if (!names.length) return;
      const [dx, dy] = [cx - centre[0], cy - centre[1]];
      const length = Math.hypot(dx, dy) || 1;
      picture.append(around(names,
        svg("circle", { cx, cy, r: 14, class: "touch" }),
        svg("text", {
          x: inside(cx + (16 * dx) / length, short(names.join(", "), 18).length), y: cy + (16 * dy) / length + 4, class: "name bold",
        }, short(names.join(", "), 18))));
    });
    return picture;
  }

  function cyclic(corners) {
    const [x, y] = middle(corners);
    return corners.slice().sort((a, b) => Math.atan2(a[1] - y, a[0] - x) - Math.atan2(b[1] - y, b[0] - x));
  }

  /** Three-dimensional faces, seen from a direction; facets that face the eye are links. */
  function polytope(record, s, [azimuth, elevation], { href, described, selected }) {
    const data = record.exponents.orders[s];
    const [width, height] = [460, 400];
    const picture = field(width, height, `polytope of the exponents of Y_${s}; arrow keys turn it`);
    if (!data) return picture;
    const size = data.vertices[0].length;
    const places = [...Array(size).keys()].slice(1).slice(0, 3);
    const ranges = places.map((place) => {
      const values = data.vertices.map((vertex) => vertex[place]);
      return [Math.min(...values), Math.max(...values)];
    });
    const solid = data.vertices.map((vertex) =>
      places.map((place, k) => (vertex[place] - ranges[k][0]) / (ranges[k][1] - ranges[k][0] || 1) - 0.5));
    const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
    const right = [-Math.sin(a), Math.cos(a), 0];
    const up = [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)];
    const eye = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
    const dot = (p, q) => p.reduce((sum, x, k) => sum + x * q[k], 0);
    const flat = solid.map((p) => [width / 2 + 220 * dot(p, right), height / 2 - 220 * dot(p, up)]);
    const depth = (face) => face.vertices.reduce((sum, k) => sum + dot(solid[k], eye), 0) / face.vertices.length;
    const regimes = new Map(record.regimes.map((regime) => [regime.name, regime]));
    const around = (names, ...shapes) => {
      const regime = regimes.get(names.includes(selected) ? selected : names[0]);
      return regime ? link(regime.name, href(regime), described(regime), ...shapes) : svg("g", {}, ...shapes);
    };
    const facets = data.faces.filter(({ dimension }) => dimension === 2).sort((p, q) => depth(p) - depth(q));
    const bodies = data.faces.filter(({ dimension }) => dimension === 3);
    const within = (small, big) => small.vertices.every((k) => big.vertices.includes(k));
    const facesEye = (face) => {
      const bounded = bodies.filter((body) => within(face, body));
      if (bounded.length !== 1) return !bounded.length; // a sheet is seen from both sides
      const [first, ...others] = face.vertices.map((k) => solid[k]);
      const minus = (p, q) => p.map((x, k) => x - q[k]);
      const cross = (p, q) => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
      const along = minus(others[0], first);
      const normal = others.slice(1).map((third) => cross(along, minus(third, first)))
        .reduce((best, n) => (dot(n, n) > dot(best, best) ? n : best));
      const inside = bounded[0].vertices.reduce((sum, k) => sum + dot(normal, minus(solid[k], first)), 0);
      return dot(normal, eye) * (inside > 0 ? -1 : 1) > 1e-9;
    };
    const seen = facets.filter(facesEye);
    const isSeen = (edge) => seen.some((face) => within(edge, face)) || !facets.some((face) => within(edge, face));
    for (const face of facets.filter((f) => !seen.includes(f))) {
      const on = face.regimes.includes(selected) ? " selected" : "";
      picture.append(around(face.regimes, svg("polygon", {
        points: cyclic(face.vertices.map((k) => flat[k])).join(" "), class: `face behind${on}`,
      })));
    }
    for (const face of seen) {
      const regime = regimes.get(face.regimes[0]);
      const on = face.regimes.includes(selected) ? " selected" : "";
      picture.append(around(face.regimes, svg("polygon", {
        points: cyclic(face.vertices.map((k) => flat[k])).join(" "), class: `face facet ${regime ? regime.learning : "unknown"}${on}`,
      })));
    }
    for (const face of data.faces.filter(({ dimension }) => dimension === 1)) {
      const [[x1, y1], [x2, y2]] = face.vertices.map((k) => flat[k]);
      const on = (face.regimes.includes(selected) ? " selected" : "") + (isSeen(face) ? "" : " hidden");
      picture.append(around(face.regimes,
        svg("line", { x1, y1, x2, y2, class: "touch" }), svg("line", { x1, y1, x2, y2, class: `edge${on}` })));
    }
    data.vertices.forEach((vertex, k) => {
      const [cx, cy] = flat[k];
      const on = data.names[k].includes(selected) ? " leads" : "";
      picture.append(around(data.names[k],
        svg("circle", { cx, cy, r: 13, class: "touch" }),
        svg("circle", { cx, cy, r: on ? 7 : 5, class: `point vertex${on}` }),
        titled(Math.min(width - 40, Math.max(40, cx)), cy - 9 - 13 * (lineCount(data.names[k][0] || "") - 1), data.names[k][0] || "", { class: "name bold" }, 12)));
    });
    places.forEach((place, k) => {
      const tip = [60 + 30 * right[k], height - 56 - 30 * up[k]];
      picture.append(svg("line", { x1: 60, y1: height - 56, x2: tip[0], y2: tip[1], class: "tick" }),
        svg("text", { x: 60 + 44 * right[k], y: height - 52 - 44 * up[k], class: "small" }, written(record.symbols[place].name)));
    });
    return picture;
  }

  return { svg, field, dashed, written, short, regimeMap, polygon, polytope, ticks, tidy, tellApart };
})();
