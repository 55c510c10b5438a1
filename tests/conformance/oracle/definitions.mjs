// What the R4 package says: resource types, search parameters, implicit code systems, compartments.
// These few parameters are the specification's own examples of how to write a SearchParameter.
const EXAMPLES = new Set(['example', 'example-extension', 'example-reference']);
export const SEARCH_TYPES = new Set(['token', 'string', 'reference', 'date', 'number', 'quantity', 'uri', 'composite', 'special']);

export class Definitions {
  constructor(resources) {
    this.structures = new Map();
    for (const sd of resources.StructureDefinition) {
      if (sd.derivation !== 'constraint') this.structures.set(sd.type, sd);
    }
    this.types = [...this.structures.values()]
      .filter((sd) => sd.kind === 'resource' && !sd.abstract && sd.derivation === 'specialization')
      .map((sd) => sd.type)
      .sort();
    this.valueSets = new Map(resources.ValueSet.map((vs) => [vs.url, vs]));
    this.codeSystems = new Map(resources.CodeSystem.map((cs) => [cs.url, cs]));
    this.compartments = resources.CompartmentDefinition.filter((c) => c.id !== 'example');
    this.searchParameters = resources.SearchParameter.filter((p) => !EXAMPLES.has(p.id));
    this.systems = new Map();
  }

  /** Every (type, parameter) that can be evaluated on one resource: {type, code, kind, expression, targets, components}. */
  pairs() {
    const pairs = [];
    for (const p of this.searchParameters) {
      // which names sound alike is left to each server
      if (!p.expression || !SEARCH_TYPES.has(p.type) || p.code === 'phonetic') continue;
      const bases = (p.base ?? []).flatMap((b) => (b === 'Resource' || b === 'DomainResource' ? this.typesUnder(b) : [b]));
      for (const type of bases) {
        const components = p.type === 'composite' ? this.components(p) : undefined;
        pairs.push({ type, code: p.code, kind: p.type, expression: p.expression, targets: p.target ?? [], components });
      }
    }
    return pairs.sort((a, b) => cmp(a.type, b.type) || cmp(a.code, b.code));
  }

  /** The parts of a composite, [{kind, expression, targets}]; an expression is relative to what the parameter's selects. */
  components(parameter) {
    return parameter.component.map(({ definition, expression }) => {
      const part = this.searchParameters.find((p) => p.url === definition);
      return { kind: part.type, expression, targets: part.target ?? [] };
    });
  }

  typesUnder(base) {
    if (base === 'Resource') return this.types;
    return this.types.filter((t) => this.structures.get(t).baseDefinition.endsWith('/DomainResource'));
  }

  /** The definition of the element at a path such as `Patient.contact[0].gender`. */
  element(path) {
    const [type, ...names] = path.replace(/\[\d+\]/g, '').split('.');
    let prefix = type;
    let sd = this.structures.get(type);
    let found = null;
    for (const name of names) {
      if (found && !found.contentReference && !/^(BackboneElement|Element)$/.test(found.type?.[0]?.code ?? '')) {
        prefix = found.type?.[0]?.code;
        sd = this.structures.get(prefix);
      } else if (found?.contentReference) {
        prefix = found.contentReference.split('#')[1];
      }
      const elements = sd?.snapshot?.element ?? [];
      found = elements.find((e) => e.path === `${prefix}.${name}` || e.path === `${prefix}.${name}[x]`);
      if (!found) return null;
      prefix = found.path;
    }
    return found;
  }

  /** The system that a `code` element with a required binding implies for this code, if its value set names exactly one. */
  implicitSystem(path, code) {
    const binding = this.element(path)?.binding;
    // a preferred value set does not say where the code comes from
    const valueSet = binding?.strength === 'required' ? binding.valueSet?.split('|')[0] : undefined;
    const key = `${valueSet} ${code}`;
    if (!valueSet) return undefined;
    if (!this.systems.has(key)) {
      const systems = new Set(this.systemsOf(valueSet, code, 0));
      this.systems.set(key, systems.size === 1 ? [...systems][0] : undefined);
    }
    return this.systems.get(key);
  }

  systemsOf(url, code, depth) {
    const includes = this.valueSets.get(url.split('|')[0])?.compose?.include ?? [];
    return includes.flatMap((include) => {
      if (include.valueSet && depth < 5) return include.valueSet.flatMap((v) => this.systemsOf(v, code, depth + 1));
      if (include.concept) return include.concept.some((c) => c.code === code) ? [include.system] : [];
      const listed = this.codeSystems.get(include.system);
      return listed && hasConcept(listed.concept ?? [], code) ? [include.system] : [];
    });
  }
}

function hasConcept(concepts, code) {
  return concepts.some((c) => c.code === code || hasConcept(c.concept ?? [], code));
}

export const cmp = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
