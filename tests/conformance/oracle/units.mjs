// Conversion between units of UCUM, by ucum-lhc.
import { fhirpath } from './package.mjs';
import { decimal } from './values.mjs';

export const UCUM = 'http://unitsofmeasure.org';
const known = new Map();
let library = null;

/** A value in another unit, as a number; null where the two do not convert. */
export function convert(value, from, to) {
  const key = `${value} ${from} ${to}`;
  if (!known.has(key)) {
    library ??= fhirpath().ucum;
    let result = null;
    try {
      const { status, toVal } = library.convertUnitTo(from, value, to);
      if (status === 'succeeded' && Number.isFinite(toVal)) result = toVal;
    } catch {
      // a unit that the library cannot read
    }
    known.set(key, result);
  }
  return known.get(key);
}

/** The same for an exact decimal; 12 digits, so that a float's last ones do not move an edge. */
export function convertDecimal({ n, scale }, from, to) {
  const value = convert(Number(`${n}e${-scale}`), from, to);
  return value === null ? null : decimal(value.toPrecision(12));
}

/** Whether two codes convert is a matter of taste: a number of things in braces, or an amount of substance as a number of molecules. */
export function unsure(from, to) {
  const things = (code) => code.includes('{') && convert(1, code, '1') !== null;
  const moles = (code) => /mol|osm|eq|kat/.test(code);
  return things(from) || things(to) || moles(from) !== moles(to);
}

/** Another unit of the same kind, to ask in. */
export const OTHER = {
  mg: 'g', g: 'kg', kg: '[lb_av]', '[lb_av]': 'kg', ug: 'mg', cm: 'm', m: 'cm', '[in_i]': 'cm', 'mm[Hg]': 'kPa', kPa: 'mm[Hg]', Cel: '[degF]', '[degF]': 'Cel',
  'mg/dL': 'g/L', 'g/dL': 'g/L', 'g/L': 'mg/dL', 'mmol/L': 'umol/L', 'umol/L': 'mmol/L', mL: 'L', L: 'mL', h: 'min', d: 'h', wk: 'd', mo: 'd', a: 'd', min: 's', s: 'min',
  '/min': '/h', 'kg/m2': 'g/cm2', 'ng/mL': 'ug/L', 'pg/mL': 'ng/L', '10*3/uL': '10*9/L', '10*6/uL': '10*12/L', fL: 'mL', pg: 'ng',
};
