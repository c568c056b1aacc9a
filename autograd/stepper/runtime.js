// What Python has and JavaScript lacks, as far as forward functions use it: lists, errors, built-in functions, math.
// javascript.py puts this before the functions that it translates. Everything here raises where CPython raises.

class Exception extends Error {
  get name() {
    return this.constructor.name;
  }
}
class ArithmeticError extends Exception {}
class OverflowError extends ArithmeticError {}
class ZeroDivisionError extends ArithmeticError {}
class ValueError extends Exception {}
class IndexError extends Exception {}

// ---- numbers and lists ----------------------------------------------------------------------------------------------

// A list or a tuple. JavaScript would turn an array into a text in `xs < ys` or `-xs`; that is an error here.
class List extends Array {
  [Symbol.toPrimitive]() {
    throw new TypeError('a list where a number is expected');
  }
  append(x) {
    this.push(x);
  }
  remove(x) {
    const place = this.findIndex((y) => equal(x, y));
    if (place < 0) throw new ValueError();
    this.splice(place, 1);
  }
}

const list = (...items) => List.from(items);

// nan is true and an empty list is false; JavaScript has it the other way round.
function truth(x) {
  return x instanceof List ? x.length > 0 : x !== null && x !== undefined && Number(x) !== 0;
}

const and = (x, y) => truth(x) ? y() : x;
const or = (x, y) => truth(x) ? x : y();

function equal(x, y) {
  if (x instanceof List && y instanceof List) return x.length === y.length && x.every((each, i) => equal(each, y[i]));
  if (x === null || y === null || x instanceof List || y instanceof List) return x === y;
  return Number(x) === Number(y); // True is 1
}

function add(x, y) {
  if (x instanceof List && y instanceof List) return List.from([...x, ...y]);
  return x instanceof Dyadic || y instanceof Dyadic ? dyadic(x).plus(dyadic(y)) : x + y;
}

function multiply(x, y) {
  if (y instanceof List) [x, y] = [y, x];
  if (x instanceof List) return List.from({ length: y * x.length }, (_, i) => x[i % x.length]);
  return x instanceof Dyadic || y instanceof Dyadic ? dyadic(x).times(dyadic(y)) : x * y;
}

function divide(x, y) {
  if (y == 0) throw new ZeroDivisionError();
  return x / y;
}

// As CPython: the sign of the remainder is that of y.
function modulo(x, y) {
  if (y == 0) throw new ZeroDivisionError();
  const rest = x % y;
  if (rest === 0) return math.copysign(0, y);
  return rest < 0 !== y < 0 ? rest + y : rest;
}

function floorDivide(x, y) {
  const rest = x % y;
  const quotient = divide(x - rest, y) - (rest !== 0 && rest < 0 !== y < 0 ? 1 : 0);
  if (quotient === 0) return math.copysign(0, x / y);
  const whole = Math.floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

function power(x, y) {
  if (x == 0 && y < 0 && y !== -Infinity) throw new ZeroDivisionError();
  if (x < 0 && Number.isFinite(x) && Number.isFinite(y) && !Number.isInteger(y)) {
    throw new TypeError('a complex number where a float is expected');
  }
  return math.pow(Number(x), Number(y));
}

function place(items, index) {
  const found = index < 0 ? index + items.length : Number(index);
  if (!(found in items)) throw new IndexError();
  return found;
}

const item = (items, index) => items[place(items, index)];

function unpack(items, size) {
  const found = List.from(items);
  if (found.length !== size) throw new ValueError();
  return found;
}

function slice(items, start, stop) {
  return List.from(items).slice(start ?? 0, stop ?? items.length);
}

// An exact number, digits · 2^exponent: what fractions.Fraction makes of floats, their sums and their products.
class Dyadic {
  constructor(digits, exponent) {
    this.digits = digits;
    this.exponent = exponent;
  }
  plus(other) {
    const exponent = Math.min(this.exponent, other.exponent);
    const raised = (x) => x.digits << BigInt(x.exponent - exponent);
    return new Dyadic(raised(this) + raised(other), exponent);
  }
  times(other) {
    return new Dyadic(this.digits * other.digits, this.exponent + other.exponent);
  }
  [Symbol.toPrimitive]() {
    try {
      return this.round();
    } catch {
      return this.digits < 0n ? -Infinity : Infinity;
    }
  }
  round() {
    const negative = this.digits < 0n;
    let digits = negative ? -this.digits : this.digits;
    // The last place of a float of this size: its digits beyond are rounded off, a tie to the even neighbour.
    const last = Math.max(digits.toString(2).length + this.exponent - 53, -1074);
    let exponent = this.exponent;
    if (exponent < last) {
      const beyond = BigInt(last - exponent);
      const half = 1n << (beyond - 1n);
      const rest = digits & ((1n << beyond) - 1n);
      digits >>= beyond;
      exponent = last;
      if (rest > half || (rest === half && digits & 1n)) digits += 1n;
    }
    const size = math.ldexp(Number(digits), exponent);
    return negative ? -size : size;
  }
}

function dyadic(x) {
  if (x instanceof Dyadic) return x;
  const [mantissa, exponent] = math.frexp(Number(x));
  return new Dyadic(BigInt(builtins.int(mantissa * 2 ** 53)), exponent - 53);
}

const fractions = {
  Fraction: (x) => dyadic(x),
};

// ---- built-in functions: zip_strict(true, xs, ys) is zip(xs, ys, strict=True) ---------------------------------------

const builtins = {
  abs: (x) => Math.abs(x),
  all: (items) => {
    for (const x of items) if (!truth(x)) return false;
    return true;
  },
  any: (items) => {
    for (const x of items) if (truth(x)) return true;
    return false;
  },
  bool: (x) => truth(x),
  enumerate: (items, start = 0) => List.from(items, (x, i) => list(start + i, x)),
  float: (x) => x instanceof Dyadic ? x.round() : Number(x),
  int: (x) => {
    if (Number.isNaN(x)) throw new ValueError();
    if (!Number.isFinite(Number(x))) throw new OverflowError();
    return Math.trunc(x) + 0; // no integer is -0
  },
  len: (items) => items.length,
  list: (items = []) => List.from(items),
  map: function* (f, ...lists) {
    for (const row of builtins.zip(...lists)) yield f(...row);
  },
  max: (...items) => best(items, (x, y) => x > y),
  max_default: (start, items) => best([items], (x, y) => x > y, start),
  min: (...items) => best(items, (x, y) => x < y),
  min_default: (start, items) => best([items], (x, y) => x < y, start),
  pow: (x, y) => power(x, y),
  range: (...bounds) => {
    const [start, stop, step] = bounds.length > 1 ? [...bounds, 1] : [0, ...bounds, 1];
    return List.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (_, i) => start + i * step);
  },
  reversed: (items) => List.from(items).reverse(),
  sum: (items, start = 0) => {
    // From left to right; from 3.12 on, CPython carries the rounding of floats along.
    let total = start;
    for (const x of items) total = add(total, x);
    return total;
  },
  tuple: (items = []) => List.from(items),
  zip: (...lists) => builtins.zip_strict(false, ...lists),
  zip_strict: (strict, ...lists) => {
    const columns = lists.map((items) => [...items]);
    const sizes = columns.map((items) => items.length);
    if (strict && new Set(sizes).size > 1) throw new ValueError();
    return List.from({ length: Math.min(...sizes) }, (_, i) => List.from(columns, (items) => items[i]));
  },
};

// The first that no later one beats: the order decides where nan takes part.
function best(items, beats, start = undefined) {
  const [first, ...others] = items.length === 1 ? items[0] : items;
  if (first === undefined && start === undefined) throw new ValueError();
  return others.reduce((best, x) => beats(x, best) ? x : best, first ?? start);
}

const operator = {
  add: (x, y) => add(x, y),
  sub: (x, y) => x - y,
  mul: (x, y) => multiply(x, y),
  truediv: (x, y) => divide(x, y),
  pow: (x, y) => power(x, y),
  neg: (x) => -x,
};

// ---- math -----------------------------------------------------------------------------------------------------------

// CPython's convention: nan from numbers is a ValueError; an infinity from finite numbers is an OverflowError where the
// function can overflow, else the ValueError of a pole.
function checked(f, overflows = false) {
  return (...inputs) => {
    const out = f(...inputs.map(Number));
    if (Number.isFinite(out)) return out;
    if (Number.isNaN(out) && !inputs.some(Number.isNaN)) throw new ValueError();
    if (!Number.isNaN(out) && inputs.every(Number.isFinite)) throw overflows ? new OverflowError() : new ValueError();
    return out;
  };
}

const bits = new DataView(new ArrayBuffer(8));
const ONE_OVER_SQRT_PI = 0.5641895835477563;

const math = {
  acos: checked(Math.acos),
  acosh: checked(Math.acosh),
  asin: checked(Math.asin),
  asinh: checked(Math.asinh),
  atan: checked(Math.atan),
  atan2: (y, x) => Math.atan2(y, x),
  atanh: checked(Math.atanh),
  cbrt: checked(Math.cbrt),
  ceil: (x) => builtins.int(Math.ceil(x)),
  comb: (n, k) => {
    if (n < 0 || k < 0) throw new ValueError();
    if (k > n) return 0;
    let result = 1n;
    for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1);
    return whole(result);
  },
  copysign: (x, y) => y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x),
  cos: checked(Math.cos),
  cosh: checked(Math.cosh, true),
  degrees: (x) => x * (180 / Math.PI),
  erf: (x) => Math.abs(x) < 0.5 ? erfSeries(x) : x > 0 ? 1 - erfcFraction(x) : x < 0 ? erfcFraction(-x) - 1 : x,
  erfc: (x) => Math.abs(x) < 0.5 ? 1 - erfSeries(x) : x > 0 ? erfcFraction(x) : x < 0 ? 2 - erfcFraction(-x) : x,
  exp: checked(Math.exp, true),
  exp2: checked((x) => 2 ** x, true),
  expm1: checked(Math.expm1, true),
  fabs: (x) => Math.abs(x),
  factorial: (n) => {
    if (n < 0) throw new ValueError();
    let result = 1n;
    for (let i = 2; i <= n; i++) result *= BigInt(i);
    return whole(result);
  },
  floor: (x) => builtins.int(Math.floor(x)),
  fmod: checked((x, y) => x % y),
  frexp: (x) => {
    if (x === 0 || !Number.isFinite(x)) return list(x, 0);
    const shift = Math.abs(x) < 2 ** -1022 ? 54 : 0;
    bits.setFloat64(0, x * 2 ** shift);
    const head = bits.getUint32(0);
    bits.setUint32(0, (head & 0x800fffff) | 0x3fe00000);
    return list(bits.getFloat64(0), ((head >>> 20) & 0x7ff) - 1022 - shift);
  },
  fsum: (items) => exactSum(items),
  hypot: (...inputs) => Math.hypot(...inputs), // inf where it overflows, and no error
  isfinite: (x) => Number.isFinite(Number(x)),
  isinf: (x) => x === Infinity || x === -Infinity,
  isnan: (x) => Number.isNaN(x),
  ldexp: (x, exponent) => {
    if (x === 0 || !Number.isFinite(x)) return x;
    let out = x;
    let rest = Math.max(-2200, Math.min(2200, exponent));
    for (; rest > 1023; rest -= 1023) out *= 2 ** 1023;
    for (; rest < -1022; rest += 969) out *= 2 ** -969; // 53 bits short of the subnormals: it is rounded only once
    out *= 2 ** rest;
    if (!Number.isFinite(out)) throw new OverflowError();
    return out;
  },
  log: (x, base = undefined) => base === undefined ? logarithm(x) : divide(logarithm(x), logarithm(base)),
  log10: checked(Math.log10),
  log1p: checked(Math.log1p),
  log2: checked(Math.log2),
  pow: (x, y) => {
    if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1; // as in C; nan in JavaScript
    const out = x ** y;
    if (Number.isNaN(out) && !Number.isNaN(x) && !Number.isNaN(y)) throw new ValueError();
    if (Math.abs(out) === Infinity && Number.isFinite(x) && Number.isFinite(y)) {
      throw x === 0 ? new ValueError() : new OverflowError();
    }
    return out;
  },
  prod: (items, start = 1) => [...items].reduce((x, y) => x * y, start),
  radians: (x) => x * (Math.PI / 180),
  sin: checked(Math.sin),
  sinh: checked(Math.sinh, true),
  sqrt: checked(Math.sqrt),
  tan: checked(Math.tan),
  tanh: checked(Math.tanh),
  trunc: (x) => builtins.int(x),
};

const logarithm = checked(Math.log);

function whole(integer) {
  const result = Number(integer);
  if (!Number.isFinite(result)) throw new OverflowError();
  return result;
}

// erf x = 2x e^(-x²)/√π · Σ (2x²)^n / (1·3···(2n+1)): no term is negative (Abramowitz and Stegun 7.1.6).
function erfSeries(x) {
  let sum = 0;
  for (let n = 20; n > 0; n--) sum = (1 + sum) * ((2 * x * x) / (2 * n + 1));
  return 2 * ONE_OVER_SQRT_PI * x * expMinusSquare(x) * (1 + sum);
}

// erfc x = e^(-x²)/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + ...)))) for x > 0 (Abramowitz and Stegun 7.1.14).
// At ½, where it is slowest, 800 terms are enough; a float does not change any more.
function erfcFraction(x) {
  if (x > 28) return 0;
  let tail = x;
  for (let n = 800; n > 0; n--) tail = x + n / 2 / tail;
  return (ONE_OVER_SQRT_PI * expMinusSquare(x)) / tail;
}

// The rounding of x² would cost x² ULP; the square of x in single precision is exact.
function expMinusSquare(x) {
  const first = Math.fround(x);
  return Math.exp(-first * first) * Math.exp((first - x) * (first + x));
}

// Shewchuk (1997), as in CPython: partial sums that do not overlap, then one rounding, a tie to the even neighbour.
function exactSum(items) {
  const partials = [];
  let special = 0;
  let infinite = 0;
  for (const term of items) {
    let x = Number(term);
    let kept = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low) partials[kept++] = low;
      x = high;
    }
    partials.length = kept;
    if (Number.isFinite(x)) {
      if (x) partials.push(x);
    } else {
      if (Number.isFinite(term)) throw new OverflowError();
      if (!Number.isNaN(term)) infinite += term;
      special += term;
      partials.length = 0;
    }
  }
  if (Number.isNaN(infinite)) throw new ValueError();
  if (special !== 0) return special;
  let high = partials.pop() ?? 0;
  let low = 0;
  while (partials.length && !low) {
    const x = high;
    const y = partials.pop();
    high = x + y;
    low = y - (high - x);
  }
  if (low && partials.length && low < 0 === partials.at(-1) < 0) {
    const twice = 2 * low;
    const next = high + twice;
    if (next - high === twice) high = next;
  }
  return high;
}

// ---- operations -----------------------------------------------------------------------------------------------------

// An entry of `operations`: see Script in javascript.py. `rules` is a function for each input, or one for a list;
// `printed` are the same as they print.
function operation(forward, size, rules, selects, printed = rules) {
  const locals = (...given) => {
    const [wanted] = given.splice(size + 1);
    const isWanted = (_, i) => wanted === undefined || wanted[i];
    if (typeof rules === 'function') return rules(...given).map((x, i) => isWanted(x, i) ? float(x) : null);
    return rules.map((rule, i) => rule !== null && isWanted(rule, i) ? float(rule(...given)) : null);
  };
  const areDefined = (...given) => {
    if (typeof printed !== 'function') return printed.map((rule) => rule === null || !Number.isNaN(attempt(rule, given)));
    const found = attempt(printed, given);
    return given.slice(0, size).map((_, i) => !Number.isNaN(Array.isArray(found) ? found[i] : found));
  };
  return {
    forward: explained((...inputs) => float(forward(...inputs)), ''),
    locals: explained(locals, 'the local derivative failed: '),
    areDefined,
    selects,
  };
}

/** What a rule comes to: NaN where it is not defined, but not where it is only too large for a float. */
function attempt(rule, given) {
  try {
    return rule(...given);
  } catch (error) {
    return error instanceof OverflowError ? Infinity : NaN;
  }
}

function float(x) {
  if (typeof x === 'number' || typeof x === 'boolean') return Number(x);
  throw new TypeError('a forward function must return a float');
}

// Errors carry the reason that Python gives, from the map `reasons`.
function explained(f, about) {
  return (...inputs) => {
    try {
      return f(...inputs);
    } catch (error) {
      const reason = reasons.get(error.constructor);
      throw reason === undefined ? error : new error.constructor(about + reason);
    }
  };
}
