// Dates, decimals and folded text: the arithmetic of https://hl7.org/fhir/R4/search.html#prefix.

// --- decimals: exact, {n, scale} is n / 10^scale -------------------------------------------------------------------
export function decimal(text) {
  const m = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(String(text));
  if (!m || !(m[2] || m[3])) return null;
  const fraction = m[3] ?? '';
  let n = BigInt((m[2] || '') + fraction || '0');
  let scale = fraction.length - Number(m[4] ?? 0);
  if (m[1] === '-') n = -n;
  return { n, scale };
}

export function compareDecimals(a, b) {
  const scale = Math.max(a.scale, b.scale);
  const x = a.n * 10n ** BigInt(scale - a.scale);
  const y = b.n * 10n ** BigInt(scale - b.scale);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** 100 → [99.5, 100.5): half a unit of the last digit written, on both sides. */
export function impliedRange(value) {
  const n = value.n * 10n;
  return { lo: { n: n - 5n, scale: value.scale + 1 }, hi: { n: n + 5n, scale: value.scale + 1 } };
}

// --- dates: nanoseconds since 1970, half-open [lo, hi) --------------------------------------------------------------
const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

/** The range that a date's precision implies; null if it is not a date. Without a zone, UTC. */
export function dateRange(text) {
  const m = DATE.exec(text);
  if (!m) return null;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map((x) => (x === undefined ? undefined : Number(x)));
  const at = (y, mo, d) => {
    const date = new Date(0);
    date.setUTCFullYear(y, mo - 1, d);
    return BigInt(date.getTime()) * 1_000_000n;
  };
  if (month === undefined) return { lo: at(year, 1, 1), hi: at(year + 1, 1, 1) };
  if (day === undefined) return { lo: at(year, month, 1), hi: at(year, month + 1, 1) };
  if (hour === undefined) return { lo: at(year, month, day), hi: at(year, month, day + 1) };
  const zone = m[8] && m[8] !== 'Z' ? (m[8][0] === '-' ? -1 : 1) * (Number(m[8].slice(1, 3)) * 60 + Number(m[8].slice(4))) : 0;
  const S = 1_000_000_000n;
  let lo = at(year, month, day) + BigInt((hour * 60 + minute - zone) * 60 + (second ?? 0)) * S;
  if (second === undefined) return { lo, hi: lo + 60n * S };
  if (m[7] === undefined) return { lo, hi: lo + S };
  const digits = m[7].slice(0, 9);
  const step = 10n ** BigInt(9 - digits.length);
  lo += BigInt(digits) * step;
  return { lo, hi: lo + step };
}

// --- text ------------------------------------------------------------------------------------------------------------
/** Case and accents removed: NFKD, marks dropped, case-folded. Punctuation and spaces stay. */
export function fold(text) {
  return withoutAccents(foldCase(withoutAccents(text)));
}

/** Case alone: `ß` and `SS`, `ς` and `σ` become the same. */
export function foldCase(text) {
  return text.toUpperCase().toLowerCase().replace(/ς/g, 'σ');
}

export function withoutAccents(text) {
  return text.normalize('NFKD').replace(/\p{M}/gu, '');
}
