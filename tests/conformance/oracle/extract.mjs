// FHIRPath once per (parameter, resource): the typed nodes that a search parameter's expression selects.
import { fhirpath } from './package.mjs';

/** R4 writes `x as T` where a collection is meant; the strict operator would raise on two items. */
export function rewrite(expression) {
  const out = expression
    .replace(/\(([\w.]+) as (\w+)\)/g, '$1.ofType($2)')
    .replace(/\.as\((\w+)\)/g, '.ofType($1)')
    .replace(/ofType\(DateTime\)/g, 'ofType(dateTime)')
    .replace(/hasExtension\(([^)]*)\)/g, 'extension($1).exists()')
    .replace(/resolve\(\) is (\w+)/g, "pointsAt('$1')");
  if (/ as |resolve\(/.test(out)) throw new Error(`cannot rewrite ${expression}`);
  return out;
}

/** The branches of a union: FHIRPath's `|` drops equal items, and 1 kg equals 1000 g, so they are joined here instead. */
export function branches(expression) {
  const parts = [''];
  let depth = 0;
  for (const char of expression) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim());
}

/** Does this Reference point at a resource of that type? By its type segment, Reference.type, or the contained resource. */
export function pointsAt(reference, type, resource) {
  const text = reference?.reference;
  if (typeof text === 'string') {
    if (text.startsWith('#')) {
      const inner = text === '#' ? resource : (resource.contained ?? []).find((c) => c.id === text.slice(1));
      if (inner) return inner.resourceType === type;
    }
    const parts = text.replace(/\/_history\/.*$/, '').split('/');
    if (parts.length >= 2 && /^[A-Z][A-Za-z]+$/.test(parts.at(-2)) && !/^urn:/.test(text)) return parts.at(-2) === type;
  }
  return reference?.type === type;
}

export class Extractor {
  constructor() {
    Object.assign(this, fhirpath());
    this.compiled = new Map();
    this.resource = null;
    this.options = {
      resolveInternalTypes: false,
      userInvocationTable: {
        pointsAt: { fn: (input, type) => [input.some((r) => pointsAt(r, type, this.resource))], arity: { 1: ['String'] } },
      },
    };
  }

  /** [{type, value, path}] of one resource; primitives without a value are left out, so what is left is present. */
  nodes(expression, resource) {
    return branches(rewrite(expression)).flatMap((branch) => this.branch(branch, resource));
  }

  /** The same below a node of the resource, as the expressions of a composite's parts are. */
  below(node, expression, resource) {
    const base = node.path.replace(/\[\d+\]/g, '');
    return branches(rewrite(expression)).flatMap((branch) => this.branch({ base, expression: branch }, resource, node.value));
  }

  branch(expression, resource, at = resource) {
    const key = typeof expression === 'string' ? expression : `${expression.base} ${expression.expression}`;
    let run = this.compiled.get(key);
    if (!run) this.compiled.set(key, (run = this.engine.compile(expression, this.model, this.options)));
    this.resource = resource;
    const result = run(at, { resource });
    const types = this.engine.types(result);
    const nodes = [];
    result.forEach((node, i) => {
      const isNode = node?.constructor?.name === 'ResourceNode';
      const value = isNode ? node.data : node;
      if (value === null || value === undefined) return;
      nodes.push({ type: types[i].replace(/^(FHIR|System)\./, ''), value, path: isNode ? node.fullPropertyName() : '' });
    });
    return nodes;
  }
}
