"use strict";
// Curves of the loss: theory, finite-size correction, error of the theory, simulated band.

const Curves = (() => {
  const { svg, field, ticks, tellApart } = Drawing;
  const COUNT = 161;

  /**
   * A figure of curves. Each line is { x, y, class, label }, each band { x, low, high, class, label }.
   * Values that are not finite break a line.
   */
  function figure({ lines, bands, xName, yName, label, logarithmic = false }) {
    const narrow = typeof window !== "undefined" && window.innerWidth < 480; // letters keep their size
    const [width, height] = narrow ? [360, 250] : [560, 330];
    const frame = { left: 64, right: 14, top: 12, bottom: 46 };
    const picture = field(width, height, label);
    picture.setAttribute("role", "img");
    const good = (v) => Number.isFinite(v) && (!logarithmic || v > 0);
    const map = (v) => (logarithmic ? Math.log10(v) : v);
    const xs = [...lines, ...bands].flatMap(({ x }) => x.filter(good));
    const ys = [...lines.filter(({ scale = true }) => scale).flatMap(({ y }) => y),
      ...bands.flatMap(({ low, high }) => [...low, ...high])].filter(good);
    if (!xs.length || !ys.length) return picture;
    const range = (values) => {
      const mapped = values.map(map);
      let [low, high] = [mapped.reduce((a, b) => Math.min(a, b)), mapped.reduce((a, b) => Math.max(a, b))];
      if (high - low < 1e-12 * Math.abs(high) || high === low) { low -= Math.abs(low) / 20 || 0.5; high += Math.abs(high) / 20 || 0.5; }
      return [low, high];
    };
    const x = range(xs);
    const y = range(ys);
    const room = 0.04 * (y[1] - y[0]);
    y[0] -= room; y[1] += room;
    const [xTicks, yTicks] = [ticks(x[0], x[1], narrow ? 4 : 6), ticks(y[0], y[1], 5)];
    const [xTexts, yTexts] = [xTicks, yTicks].map((values) => tellApart(values.map((v) => (logarithmic ? 10 ** v : v))));
    frame.left = Math.max(48, 30 + 6.2 * Math.max(0, ...yTexts.map((text) => text.length)));
    const toX = (v) => frame.left + ((map(v) - x[0]) / (x[1] - x[0])) * (width - frame.left - frame.right);
    const toY = (v) => height - frame.bottom - ((Math.min(Math.max(map(v), y[0] - 1e6), y[1] + 1e6) - y[0]) / (y[1] - y[0])) * (height - frame.top - frame.bottom);
    const id = `clip-${Math.random().toString(36).slice(2)}`;
    picture.append(svg("clipPath", { id }, svg("rect", {
      x: frame.left, y: frame.top, width: width - frame.left - frame.right, height: height - frame.top - frame.bottom,
    })));
    const inner = svg("g", { "clip-path": `url(#${id})` });
    for (const band of bands) {
      const places = band.x.map((v, k) => k).filter((k) => good(band.low[k]) && good(band.high[k]) && good(band.x[k]));
      if (places.length < 2) continue;
      const upper = places.map((k) => `${toX(band.x[k]).toFixed(1)},${toY(band.high[k]).toFixed(1)}`);
      const lower = places.slice().reverse().map((k) => `${toX(band.x[k]).toFixed(1)},${toY(band.low[k]).toFixed(1)}`);
      inner.append(svg("polygon", { points: [...upper, ...lower].join(" "), class: `band ${band.class}` }));
    }
    for (const line of lines) {
      if (line.dots) {
        line.x.forEach((v, k) => {
          if (good(v) && good(line.y[k])) inner.append(svg("circle", { cx: toX(v), cy: toY(line.y[k]), r: 2.6, class: `dot ${line.class}` }));
        });
        continue;
      }
      let path = "";
      let pen = false;
      line.x.forEach((v, k) => {
        if (good(v) && good(line.y[k])) {
          path += `${pen ? "L" : "M"}${toX(v).toFixed(2)} ${toY(line.y[k]).toFixed(2)}`;
          pen = true;
        } else pen = false;
      });
      inner.append(svg("path", { d: path, class: `curve ${line.class}` }));
    }
    picture.append(inner);
    for (const [k, value] of xTicks.entries()) {
      const u = toX(logarithmic ? 10 ** value : value);
      picture.append(svg("line", { x1: u, x2: u, y1: height - frame.bottom, y2: height - frame.bottom + 4, class: "tick" }),
        svg("text", { x: u, y: height - frame.bottom + 17, class: "small" }, xTexts[k]));
    }
    for (const [k, value] of yTicks.entries()) {
      const v = toY(logarithmic ? 10 ** value : value);
      picture.append(svg("line", { x1: frame.left, x2: width - frame.right, y1: v, y2: v, class: "grid" }),
        svg("text", { x: frame.left - 6, y: v + 4, class: "small end" }, yTexts[k]));
    }
    picture.append(svg("text", { x: (width + frame.left) / 2, y: height - 8, class: "axis" }, xName),
      svg("text", { x: 14, y: (height - frame.bottom) / 2, class: "axis", transform: `rotate(-90 14 ${(height - frame.bottom) / 2})` }, yName));
    return picture;
  }

  /** A list of what lines and bands are. */
  function legend(parts) {
    const list = document.createElement("ul");
    list.className = "legend";
    for (const part of parts) {
      const item = document.createElement("li");
      const sample = svg("svg", { viewBox: "0 0 26 12", class: "sample", "aria-hidden": "true" });
      sample.append(part.dots ? svg("circle", { cx: 13, cy: 6, r: 3, class: `dot ${part.class}` })
        : part.low ? svg("rect", { x: 1, y: 1, width: 24, height: 10, class: `band ${part.class}` })
          : svg("path", { d: "M1 6L25 6", class: `curve ${part.class}` }));
      item.append(sample, part.label);
      list.append(item);
    }
    return list;
  }

  /** The times at which a curve is drawn: even, or even in the logarithm. */
  function times(found, logarithmic) {
    const { start, stop } = found;
    const list = [];
    for (let k = 0; k < COUNT; k += 1) {
      list.push(logarithmic && stop > 0 ? stop * 10 ** (-4 * (1 - k / (COUNT - 1))) : start + ((stop - start) * k) / (COUNT - 1));
    }
    return list;
  }

  const HOW = {
    formula: "computed from the formula",
    table: "interpolated in the table of the leading dynamics",
    series: "summed from the exact leading coefficients, with an error estimate",
  };

  /** The curve of a regime at numbers, with its correction and its error. */
  function own(found, label, logarithmic) {
    const x = times(found, logarithmic);
    const y = x.map(found.loss);
    const errors = x.map(found.error);
    const lines = [{ x, y, class: "theory", label: "theory" }];
    const bands = [];
    const largest = Math.max(...errors.filter(Number.isFinite));
    if (largest > 0) bands.push({ x, low: y.map((v, k) => v - errors[k]), high: y.map((v, k) => v + errors[k]), class: "uncertain", label: "its stated error" });
    const corrected = x.map((t, k) => y[k] + Numbers.knownCorrection(found, t));
    if (corrected.filter(Number.isFinite).length > 1) lines.push({ x, y: corrected, class: "corrected", label: "with finite-size correction", scale: true });
    return { picture: figure({ lines, bands, xName: "time t", yName: "expected loss", label, logarithmic }), parts: [...lines, ...bands], how: HOW[found.how], largest };
  }

  /** Theory against simulation, as recorded. */
  function experiment(data, label, logarithmic) {
    const x = data.t;
    const lost = (values) => values.map((v) => (v === null ? NaN : v));
    const [theory, mean, error, correction] = [data.theory, data.mean, data.error, data.correction].map(lost);
    const bands = [{ x, low: mean.map((v, k) => v - 4 * error[k]), high: mean.map((v, k) => v + 4 * error[k]), class: "simulated", label: `mean of ${data.runs} simulations ± 4 standard errors` }];
    const lines = [
      { x, y: theory, class: "theory", label: "theory" },
      { x, y: mean, class: "simulated", dots: true, label: "simulated mean" },
    ];
    const corrected = theory.map((v, k) => v + correction[k]);
    if (corrected.filter(Number.isFinite).length > 1) lines.push({ x, y: corrected, class: "corrected", label: "theory with finite-size correction" });
    return { picture: figure({ lines, bands, xName: "time t", yName: "loss", label, logarithmic }), parts: [...lines, ...bands] };
  }

  return { own, experiment, figure, legend };
})();
