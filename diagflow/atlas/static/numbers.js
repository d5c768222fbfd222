"use strict";
// Numbers: exact coefficients at given sizes, which regime is nearest, and the loss of a regime.
// The rules are those of expansion.closest_regime, expansion.partial_sums and diagflow.atlas.tables.

const Numbers = (() => {
  const TOLERANCE = 0.1;
  const ALMOST_AS_GOOD = 2;
  const AGREEMENT = 0.125; // of diagflow.comparison.finite_size
  const SAFETY = 3; // of the same: a stated error is so many times the estimate
  const SERIES_ERROR = 0.05;

  // Exact fractions [numerator, denominator] of BigInt.

  function gcd(a, b) {
    while (b) [a, b] = [b, a % b];
    return a < 0n ? -a : a;
  }

  /** A number as people type it: 512, 2e-5, 1/512; null if it is none. */
  function parsed(text) {
    const match = /^\s*\+?(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3}))?\s*(?:\/\s*(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3}))?\s*)?$/.exec(text);
    if (!match) return null;
    const part = (digits, power) => {
      const [whole, rest = ""] = digits.split(".");
      const shift = Number(power || 0) - rest.length;
      const value = BigInt((whole || "0") + rest);
      return shift >= 0 ? [value * 10n ** BigInt(shift), 1n] : [value, 10n ** BigInt(-shift)];
    };
    const [a, b] = part(match[1], match[2]);
    const [c, d] = match[3] === undefined ? [1n, 1n] : part(match[3], match[4]);
    if (a === 0n || c === 0n) return null;
    const common = gcd(a * d, b * c);
    return [(a * d) / common, (b * c) / common];
  }

  function bits(value) {
    return value === 0n ? 0 : (value < 0n ? -value : value).toString(2).length;
  }

  /** A fraction as a floating point number, rounded; zero or infinite where it is out of range. */
  function number([top, bottom]) {
    if (top === 0n) return 0;
    const negative = top < 0n;
    const size = negative ? -top : top;
    const shift = bits(size) - bits(bottom) - 64;
    const quotient = shift >= 0 ? size / (bottom << BigInt(shift)) : (size << BigInt(-shift)) / bottom;
    const half = Math.trunc(shift / 2); // in two steps, so that none of them overflows alone
    const value = Number(quotient) * 2 ** half * 2 ** (shift - half);
    return negative ? -value : value;
  }

  function rational(text) {
    const [top, bottom = "1"] = text.split("/");
    return [BigInt(top), BigInt(bottom)];
  }

  function plain(text) {
    return number(rational(text));
  }

  /** The monomials of a polynomial at exact values: integers over one denominator. */
  function monomials(rows, values) {
    if (!rows.length) return { tops: [], bottom: 1n };
    const coefficients = rows.map((row) => rational(row[0]));
    const common = coefficients.reduce((c, [, d]) => (c / gcd(c, d)) * d, 1n);
    let bottom = common;
    const powers = values.map(([n, d], place) => {
      const exponents = rows.map((row) => row[place + 1]);
      const low = Math.min(0, ...exponents);
      const high = Math.max(0, ...exponents);
      bottom *= n ** BigInt(-low) * d ** BigInt(high);
      const table = new Map();
      for (const e of new Set(exponents)) table.set(e, n ** BigInt(e - low) * d ** BigInt(high - e));
      return table;
    });
    const tops = rows.map((row, k) =>
      powers.reduce(
        (product, table, place) => product * table.get(row[place + 1]),
        (coefficients[k][0] * common) / coefficients[k][1]
      )
    );
    return { tops, bottom };
  }

  const total = (list) => list.reduce((a, b) => a + b, 0n);

  function factorial(s) {
    let result = 1;
    for (let k = 2; k <= s; k += 1) result *= k;
    return result;
  }

  // Sums of series

  function lastEntry(sums) {
    let before = new Array(sums.length + 1).fill(0);
    let column = sums.slice();
    let result = sums[sums.length - 1];
    for (let order = 1; order < sums.length; order += 1) {
      const steps = column.slice(1).map((value, k) => value - column[k]);
      const scale = Math.max(...column.map(Math.abs));
      if (order % 2 && steps.some((step) => Math.abs(step) <= 1e-15 * scale)) return result;
      if (steps.some((step) => step === 0 || !Number.isFinite(step))) return result;
      const next = steps.map((step, k) => before[k + 1] + 1 / step);
      before = column;
      column = next;
      if (order % 2 === 0) result = column[column.length - 1];
    }
    return result;
  }

  /** The sum of a series by Wynn's epsilon algorithm, and an estimate of its error. */
  function acceleratedSum(terms) {
    const present = terms.filter((term) => term !== 0);
    if (!present.length) return [0, 0];
    const sums = [];
    present.reduce((sum, term) => { sums.push(sum + term); return sum + term; }, 0);
    if (sums.length <= 2) return [sums[sums.length - 1], Math.abs(present[present.length - 1])];
    const value = lastEntry(sums);
    let error = 0;
    for (const leftOut of [1, 2]) {
      if (sums.length > leftOut) error = Math.max(error, Math.abs(value - lastEntry(sums.slice(0, -leftOut))));
    }
    return [value, error];
  }

  function seriesAt(coefficients, time) {
    if (!time) return [coefficients[0] || 0, 0];
    return acceleratedSum(coefficients.map((c, s) => (c * time ** s) / factorial(s)));
  }

  // What is known of a problem at given numbers

  /** All exact coefficients at exact values, by symbol; sizes and variances only. */
  function coefficientsAt(record, values) {
    const exact = record.symbols.map((symbol) => values[symbol.name]);
    const parts = record.coefficients.map((rows) => monomials(rows, exact));
    const pure = monomials(record.pure_target, exact);
    return {
      parts,
      whole: parts.map(({ tops, bottom }) => [total(tops), bottom]),
      pure: number([total(pure.tops), pure.bottom]),
    };
  }

  function binaryOrder([a, b], [c, d]) {
    const top = a * d;
    const bottom = b * c;
    const common = gcd(top, bottom);
    return bits(top / common) - bits(bottom / common);
  }

  /** The time at which the terms become as large as each other, a power of two. */
  function unit(whole) {
    const sizes = [];
    let f = 1n;
    whole.forEach(([top, bottom], s) => {
      if (s) f *= BigInt(s);
      if (s && top) sizes.push([s, [top < 0n ? -top : top, bottom * f]]);
    });
    let least = null;
    for (let i = 0; i < sizes.length; i += 1) {
      for (let j = i + 1; j < sizes.length; j += 1) {
        const power = Math.floor(binaryOrder(sizes[i][1], sizes[j][1]) / (sizes[j][0] - sizes[i][0]));
        least = least === null ? power : Math.min(least, power);
      }
    }
    return 2 ** (least || 0);
  }

  /** Kept and neglected coefficients of a regime, and the constant that only measures the target. */
  function split(regime, known, leftOut) {
    const kept = [];
    const rest = [];
    known.parts.forEach(({ tops, bottom }, s) => {
      const lead = leftOut.includes(s) ? 0n : total(regime.leading[s].map((place) => tops[place]));
      kept.push(number([lead, bottom]));
      rest.push(number([total(tops) - lead, bottom]));
    });
    const constant = regime.learning === "free" ? 0 : known.pure;
    kept[0] += constant;
    rest[0] += known.pure - constant;
    return { kept, rest, constant };
  }

  function neglectedShare(regime, known, time) {
    const { kept, rest, constant } = split(regime, known, []);
    const times = [0, time / 2, time];
    const losses = times.map((t) => seriesAt(kept, t)[0]);
    let size = Math.min(
      Math.max(...losses.map(Math.abs)),
      Math.max(...losses.map((loss) => Math.abs(loss - constant)))
    );
    if (!size) size = Math.abs(constant) || 1;
    return Math.max(...times.map((t) => {
      const [value, error] = seriesAt(rest, t);
      return (Math.abs(value) + error) / size;
    }));
  }

  /** Which regime describes exact values best; a table of the share that each neglects. */
  function where(record, values) {
    const known = coefficientsAt(record, values);
    const time = unit(known.whole);
    const table = record.regimes
      .map((regime) => ({ regime, share: neglectedShare(regime, known, time) }))
      .sort((a, b) => (a.share < b.share ? -1 : a.share > b.share ? 1 : 0));
    const limit = Math.max(TOLERANCE, ALMOST_AS_GOOD * table[0].share);
    const good = table.filter((entry) => entry.share <= limit);
    good.sort((a, b) => a.regime.dimension - b.regime.dimension || a.share - b.share);
    return { closest: (good[0] || table[0]).regime, table, limit, known, unit: time };
  }

  // Formulas

  const FUNCTIONS = {
    exp: Math.exp, log: Math.log, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh,
    coth: (x) => 1 / Math.tanh(x), sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin,
    acos: Math.acos, atan: Math.atan, asinh: Math.asinh, acosh: Math.acosh, atanh: Math.atanh,
    abs: Math.abs,
  };

  /** A formula of diagflow.atlas.formulas at numbers. */
  function evaluated(tree, numbers) {
    if (typeof tree === "string") return numbers[tree];
    const [name, ...parts] = tree;
    if (name === "n") return parts[0].includes(".") || parts[0].includes("e") ? Number(parts[0]) : plain(parts[0]);
    const values = parts.map((part) => evaluated(part, numbers));
    if (name === "+") return values.reduce((a, b) => a + b, 0);
    if (name === "*") return values.reduce((a, b) => a * b, 1);
    if (name === "^") return values[0] ** values[1];
    return FUNCTIONS[name](values[0]);
  }

  // Tables

  function along(values, size, place) {
    const stride = values.length / size;
    const last = size - 1;
    if (!(place >= -1e-9 && place <= last + 1e-9)) return new Array(stride).fill(NaN);
    const k = Math.min(Math.max(Math.floor(place), 0), Math.max(last - 1, 0));
    const u = place - k;
    const row = (i) => values.slice(i * stride, (i + 1) * stride);
    if (last === 0) return row(0);
    const [one, two] = [row(k), row(k + 1)];
    const before = k ? row(k - 1) : one.map((x, i) => 2 * x - two[i]);
    const after = k + 2 <= last ? row(k + 2) : two.map((x, i) => 2 * x - one[i]);
    return one.map((a, i) => {
      const [b, c, d] = [before[i], two[i], after[i]];
      const cubic = a + (u * (c - b + u * (2 * b - 5 * a + 4 * c - d + u * (3 * (a - c) + d - b)))) / 2;
      return Number.isFinite(cubic) ? cubic : a + u * (c - a);
    });
  }

  const orNaN = (list) => list.map((x) => (x === null ? NaN : x));
  const power = (exponents, logs) => exponents.reduce((sum, e, i) => sum + (e ? e * logs[i] : 0), 0);

  /** The loss by a table, as a function of the time; null outside of the table. */
  function tableCurve(record, regime, numbers, constant) {
    const table = regime.table;
    const logs = record.symbols.map((symbol) => Math.log(numbers[symbol.name]));
    let values = orNaN(table.values);
    let units = orNaN(table.units);
    table.axes.forEach(([start, step, size], i) => {
      const place = (power(table.ratios[i], logs) - start) / step;
      values = along(values, size, place);
      units = along(units, size, place);
    });
    if (!Number.isFinite(units[0])) return null;
    const unitTime = Math.exp(-power(table.time.map(plain), logs)) * numbers.T;
    const unitLoss = Math.exp(power(table.scale.map(plain), logs));
    const scale = Math.exp(units[0]);
    const loss = (t) => {
      const tau = (table.sign * t) / unitTime;
      if (tau < 0) return NaN;
      const place = Math.log1p(tau / scale) / table.step;
      return constant + unitLoss * along(values, table.times, place)[0];
    };
    const end = scale * Math.expm1(table.step * (table.times - 1)) * unitTime * table.sign;
    return { loss, end };
  }

  /**
   * The loss of a regime at numbers: how it is computed, with which error, and from when to when it
   * is worth looking at.
   */
  function curve(record, regime, numbers, known) {
    const solution = regime.solution;
    const leftOut = solution ? solution.certificate.left_out : [];
    const { kept, rest, constant } = split(regime, known, leftOut);
    const tree = solution && solution.formula ? solution.formula.tree : null;
    const correction = (t) => seriesAt(rest, t / numbers.T);
    if (tree) {
      const loss = (t) => evaluated(tree, { ...numbers, t });
      if (Number.isFinite(loss(0))) {
        const bounds = domain(loss, record.descends, numbers.T);
        return { how: "formula", loss, error: () => 0, correction, ...telling(loss, bounds, numbers.T) };
      }
    }
    if (regime.table) {
      const found = tableCurve(record, regime, numbers, constant);
      if (found) {
        const bounds = found.end > 0 ? [0, found.end] : [found.end, 0];
        const [start, stop] = [found.loss(0), found.loss(found.end)];
        const spread = Number.isFinite(stop) ? Math.abs(stop - start) : Math.abs(start - constant);
        const error = () => regime.table.error * spread;
        return { how: "table", loss: found.loss, error, correction, ...telling(found.loss, bounds, numbers.T) };
      }
    }
    const long = taylorAt(record, regime, numbers);
    const summed = long.length > kept.length ? long : kept;
    const loss = (t) => seriesAt(summed, t / numbers.T)[0];
    const error = (t) => SAFETY * seriesAt(summed, t / numbers.T)[1];
    const [, bound] = domain(loss, record.descends, numbers.T);
    const size = Math.max(Math.abs(kept[0] - constant), 0);
    let stop = 0;
    for (let k = -160; k <= 160; k += 1) {
      const t = numbers.T * 2 ** (k / 4);
      const moved = Math.abs(loss(t) - loss(0));
      if (t > bound || !(error(t) <= SERIES_ERROR * Math.max(moved, size))) break;
      stop = t;
    }
    return { how: "series", loss, error, correction, ...telling(loss, [0, stop], numbers.T) };
  }

  /** The Taylor coefficients of a solution at numbers, with the part that measures the target. */
  function taylorAt(record, regime, numbers) {
    const values = record.symbols.map(({ name }) => parsed(String(numbers[name])) || [1n, 1n]);
    return (regime.taylor || []).map((rows) => {
      const { tops, bottom } = monomials(rows, values);
      return number([total(tops), bottom]);
    });
  }

  /** Where a formula is finite, not negative, and does not rise under descent. */
  function domain(loss, descends, T) {
    const first = loss(0);
    const small = 1e-11 * Math.abs(first);
    const reach = (sign) => {
      let last = 0;
      let value = first;
      for (let k = -240; k <= 240; k += 1) {
        const t = sign * T * 2 ** (k / 4);
        const next = loss(t);
        const falls = descends ? sign * (next - value) <= small : true;
        if (!(Number.isFinite(next) && next >= -small && falls)) break;
        last = t;
        value = next;
      }
      return last;
    };
    const stop = reach(1);
    return stop > 0 ? [0, stop] : [reach(-1), 0];
  }

  /** The part of a domain in which nine tenths of the change happen, and as much again. */
  function telling(loss, [start, stop], T) {
    const sign = stop > 0 ? 1 : -1;
    const end = sign > 0 ? stop : -start;
    const times = [];
    for (let k = -60; k <= 60; k += 1) times.push(sign * Math.min(T * 2 ** k, end));
    const first = loss(0);
    const change = times.map((t) => Math.abs(loss(t) - first));
    const most = Math.max(0, ...change.filter(Number.isFinite));
    if (!(most > 0)) return { start, stop };
    const place = change.findIndex((value) => value >= 0.9 * most);
    const edge = sign * Math.min(2 * Math.abs(times[place]), end);
    return edge > 0 ? { start: 0, stop: edge } : { start: edge, stop: 0 };
  }

  /** The correction at a time where it is known, else NaN; what moved decides. */
  function knownCorrection(found, t) {
    const [value, error] = found.correction(t);
    const moved = Math.abs(found.loss(t) - found.loss(0)) + Math.abs(found.loss(0));
    return error <= AGREEMENT * moved ? value : NaN;
  }

  return {
    parsed, number, plain, acceleratedSum, seriesAt, coefficientsAt, unit, where, evaluated,
    curve, knownCorrection, monomials,
  };
})();

if (typeof module !== "undefined") module.exports = Numbers;
