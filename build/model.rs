//! Writes `$OUT_DIR/model.rs`: the tables of `fhir-schemas/` as static slices for `src/model/tables.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

pub fn generate() -> Result<(), String> {
    let facts = Facts::read(Path::new("fhir-schemas"))?;
    let mut out = Output::default();
    facts.write_types(&mut out)?;
    facts.write_value_sets(&mut out);
    facts.write_search(&mut out)?;
    facts.write_systems(&mut out);
    facts.write_compartments(&mut out)?;
    facts.write_invariants(&mut out);
    facts.write_bindings(&mut out);
    facts.write_occurred(&mut out)?;
    facts.write_headlines(&mut out)?;
    facts.write_views(&mut out)?;
    let target = Path::new(&env::var("OUT_DIR").map_err(|e| e.to_string())?).join("model.rs");
    fs::write(&target, out.text).map_err(|e| format!("{}: {e}", target.display()))
}

type Row = Vec<String>;

/// A table without its header line; every row has as many cells as the header.
fn read_table(folder: &Path, name: &str) -> Result<Vec<Row>, String> {
    let path = folder.join(name);
    println!("cargo:rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Row>());
    let header = rows.next().ok_or_else(|| format!("{name} is empty"))?;
    let rows: Vec<Row> = rows.collect();
    match rows.iter().find(|row| row.len() != header.len()) {
        Some(row) => Err(format!("{name}: {row:?} does not fit the header")),
        None => Ok(rows),
    }
}

/// One JSON property, before numbers stand for names.
#[derive(Clone)]
struct Field {
    name: String,
    element: usize,
    ty: String,
    targets: Vec<String>,
    required: String,
}

#[derive(Clone)]
struct Element {
    name: String,
    is_choice: bool,
    min: String,
    max: String,
    /// The text of the `types` column.
    types: String,
    required: String,
    is_summary: bool,
    is_modifier: bool,
    is_absolute: bool,
    short: String,
}

struct Facts {
    /// Sorted by name.
    types: Vec<Row>,
    type_numbers: BTreeMap<String, usize>,
    own_elements: BTreeMap<String, Vec<Element>>,
    /// url → (code, system), sorted.
    value_sets: BTreeMap<String, Vec<(String, String)>>,
    parameters: Vec<Row>,
    components: BTreeMap<String, Vec<(String, String)>>,
    keys: Vec<Row>,
    systems: Vec<Row>,
    compartments: Vec<Row>,
    invariants: Vec<Row>,
    bindings: Vec<Row>,
    occurred: Vec<Row>,
    headlines: Vec<Row>,
    panels: Vec<Row>,
    lanes: Vec<Row>,
    /// path → what HL7 says of it in a line
    descriptions: BTreeMap<String, String>,
    view_columns: Vec<Row>,
    view_extensions: Vec<Row>,
}

/// The text being written. Slices that occur many times become one static each.
#[derive(Default)]
struct Output {
    text: String,
    shared: BTreeMap<String, usize>,
}

impl Output {
    /// The name of a static slice with that content.
    fn slice(&mut self, ty: &str, items: &[String]) -> String {
        if items.is_empty() {
            return "&[]".into();
        }
        let value = format!("[{ty}; {}] = [{}];\n", items.len(), items.join(","));
        let next = self.shared.len();
        let number = *self.shared.entry(value.clone()).or_insert(next);
        if number == next {
            let _ = write!(self.text, "static S{number}: {value}");
        }
        format!("&S{number}")
    }

    fn strings(&mut self, items: &[&str]) -> String {
        let items: Vec<String> = items.iter().map(|s| format!("{s:?}")).collect();
        self.slice("&str", &items)
    }

    fn table(&mut self, visibility: &str, name: &str, ty: &str, rows: &[String]) {
        let _ = write!(self.text, "{visibility}static {name}: &[{ty}] = &[\n{}];\n", rows.concat());
    }
}

impl Facts {
    fn read(folder: &Path) -> Result<Facts, String> {
        let mut types = read_table(folder, "types.tsv")?;
        types.sort();
        let type_numbers = types.iter().enumerate().map(|(i, row)| (row[0].clone(), i)).collect();
        let descriptions: BTreeMap<String, String> =
            read_table(folder, "descriptions.tsv")?.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        let mut own_elements: BTreeMap<String, Vec<Element>> = BTreeMap::new();
        for row in read_table(folder, "elements.tsv")? {
            let (owner, name) = row[0].rsplit_once('.').ok_or_else(|| format!("{} has no owner", row[0]))?;
            own_elements.entry(owner.to_owned()).or_default().push(Element {
                name: name.trim_end_matches("[x]").to_owned(),
                is_choice: name.ends_with("[x]"),
                min: row[1].clone(),
                max: row[2].clone(),
                types: row[3].clone(),
                required: row[4].clone(),
                is_summary: row[5].split(' ').any(|flag| flag == "summary"),
                is_modifier: row[5].split(' ').any(|flag| flag == "modifier"),
                is_absolute: row[5].split(' ').any(|flag| flag == "absolute"),
                short: descriptions.get(&row[0]).cloned().unwrap_or_default(),
            });
        }
        let mut value_sets: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in read_table(folder, "value-sets.tsv")? {
            let codes = row[2].split(' ').map(|code| (code.to_owned(), row[1].clone()));
            value_sets.entry(row[0].clone()).or_default().extend(codes);
        }
        value_sets.values_mut().for_each(|codes| codes.sort());
        let mut components: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in read_table(folder, "search-components.tsv")? {
            components.entry(row[0].clone()).or_default().push((row[1].clone(), row[2].clone()));
        }
        let mut parameters = read_table(folder, "search-parameters.tsv")?;
        parameters.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
        let mut invariants = read_table(folder, "invariants.tsv")?;
        invariants.sort();
        let mut bindings = read_table(folder, "bindings.tsv")?;
        bindings.sort();
        Ok(Facts {
            types,
            type_numbers,
            own_elements,
            value_sets,
            parameters,
            components,
            keys: registry(folder, "parameter-keys.tsv")?,
            systems: registry(folder, "systems.tsv")?,
            compartments: read_table(folder, "compartments.tsv")?,
            invariants,
            bindings,
            occurred: read_table(folder, "occurred.tsv")?,
            headlines: read_table(folder, "headlines.tsv")?,
            panels: read_table(folder, "panels.tsv")?,
            lanes: read_table(folder, "lanes.tsv")?,
            descriptions,
            view_columns: read_table(folder, "view-columns.tsv")?,
            view_extensions: read_table(folder, "view-extensions.tsv")?,
        })
    }

    fn number(&self, name: &str) -> Result<usize, String> {
        self.type_numbers.get(name).copied().ok_or_else(|| format!("unknown type {name}"))
    }

    fn type_ids(&self, names: &[String]) -> Result<Vec<String>, String> {
        let mut numbers = names.iter().map(|n| self.number(n)).collect::<Result<Vec<_>, _>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers.iter().map(|n| format!("TypeId({n})")).collect())
    }

    /// The type itself and those it derives from, nearest first.
    fn lineage<'a>(&'a self, name: &'a str) -> Result<Vec<&'a str>, String> {
        let mut lineage = vec![name];
        while let Some(last) = lineage.last() {
            let base = self.types[self.number(last)?][3].as_str();
            if base.is_empty() {
                break;
            }
            if lineage.contains(&base) {
                return Err(format!("{name} derives from itself"));
            }
            lineage.push(base);
        }
        Ok(lineage)
    }

    /// Inherited elements first; an element that a type defines again replaces the inherited one in its place.
    fn elements(&self, name: &str) -> Result<Vec<Element>, String> {
        let mut elements: Vec<Element> = Vec::new();
        for ancestor in self.lineage(name)?.iter().rev() {
            for own in self.own_elements.get(*ancestor).into_iter().flatten() {
                match elements.iter_mut().find(|e| e.name == own.name) {
                    Some(inherited) => *inherited = own.clone(),
                    None => elements.push(own.clone()),
                }
            }
        }
        Ok(elements)
    }

    fn fields(&self, elements: &[Element]) -> Result<Vec<Field>, String> {
        let mut fields = Vec::new();
        for (number, element) in elements.iter().enumerate() {
            for part in self.resolved(element)?.split(' ') {
                let (ty, targets) = match part.split_once('(') {
                    Some((ty, targets)) => (ty, targets.trim_end_matches(')').split(',').map(str::to_owned).collect()),
                    None => (part, Vec::new()),
                };
                let suffix = if element.is_choice { capitalised(ty) } else { String::new() };
                let is_coded = matches!(ty, "code" | "Coding" | "CodeableConcept" | "Quantity" | "string" | "uri");
                fields.push(Field {
                    name: format!("{}{suffix}", element.name),
                    element: number,
                    ty: ty.to_owned(),
                    targets,
                    required: if is_coded { element.required.clone() } else { String::new() },
                });
            }
        }
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(fields)
    }

    /// The `types` of an element, where `#path` means the backbone type of the element at that path.
    fn resolved(&self, element: &Element) -> Result<String, String> {
        match element.types.strip_prefix('#') {
            Some(path) => self.number(path).map(|_| path.to_owned()),
            None => Ok(element.types.clone()),
        }
    }

    fn write_types(&self, out: &mut Output) -> Result<(), String> {
        let value_set_numbers: BTreeMap<&str, usize> =
            self.value_sets.keys().enumerate().map(|(i, url)| (url.as_str(), i)).collect();
        let mut rows = Vec::new();
        let mut constants = String::new();
        for (number, row) in self.types.iter().enumerate() {
            let [name, kind, is_abstract, base, pattern] = row.as_slice() else {
                return Err("types.tsv: five cells expected".into());
            };
            let elements = self.elements(name)?;
            let mut fields = Vec::new();
            for f in self.fields(&elements)? {
                let targets = self.type_ids(&f.targets)?;
                let targets = out.slice("TypeId", &targets);
                let required = match value_set_numbers.get(f.required.as_str()) {
                    Some(n) => format!("Some(ValueSetId({n}))"),
                    None => "None".into(),
                };
                fields.push(format!(
                    "Field{{name:{:?},element:{},ty:TypeId({}),targets:{targets},required:{required}}}",
                    f.name,
                    f.element,
                    self.number(&f.ty)?
                ));
            }
            let elements: Vec<String> = elements
                .iter()
                .map(|e| {
                    let max = if e.max == "*" { "u16::MAX" } else { &e.max };
                    format!(
                        "Element{{name:{:?},is_choice:{},min:{},max:{max},is_summary:{},is_modifier:{},is_absolute:{},short:{:?}}}",
                        e.name, e.is_choice, e.min, e.is_summary, e.is_modifier, e.is_absolute, e.short
                    )
                })
                .collect();
            let elements = out.slice("Element", &elements);
            let fields = out.slice("Field", &fields);
            let base = match base.as_str() {
                "" => "None".into(),
                base => format!("Some(TypeId({}))", self.number(base)?),
            };
            let pattern = if pattern.is_empty() { None } else { Some(pattern) };
            rows.push(format!(
                "Type{{name:{name:?},kind:Kind::{},is_abstract:{},base:{base},elements:{elements},fields:{fields},pattern:{pattern:?},short:{:?}}},\n",
                capitalised(kind),
                !is_abstract.is_empty(),
                self.descriptions.get(name).map_or("", String::as_str),
            ));
            // Names of single resource types have no place in the code; their abstract bases do.
            if kind != "backbone" && (kind != "resource" || !is_abstract.is_empty()) {
                let _ = writeln!(constants, "pub const {}: TypeId = TypeId({number});", screaming(name));
            }
        }
        out.table("pub ", "TYPES", "Type", &rows);
        out.text.push_str(&constants);
        Ok(())
    }

    fn write_value_sets(&self, out: &mut Output) {
        let mut rows = Vec::new();
        for (url, codes) in &self.value_sets {
            let codes: Vec<String> = codes.iter().map(|(code, system)| format!("({system:?},{code:?})")).collect();
            let codes = out.slice("(&str, &str)", &codes);
            rows.push(format!("ValueSet{{url:{url:?},codes:{codes}}},\n"));
        }
        out.table("pub ", "VALUE_SETS", "ValueSet", &rows);
    }

    fn write_search(&self, out: &mut Output) -> Result<(), String> {
        let key_numbers: BTreeMap<(&str, &str), usize> =
            self.keys.iter().enumerate().map(|(i, row)| ((row[1].as_str(), row[2].as_str()), i)).collect();
        let mut rows = Vec::new();
        // type number → code → index of the parameter
        let mut own: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, row) in self.parameters.iter().enumerate() {
            let [url, code, ty, bases, targets, expression] = row.as_slice() else {
                return Err("search-parameters.tsv: six cells expected".into());
            };
            let key = key_numbers.get(&(code.as_str(), ty.as_str())).ok_or_else(|| format!("{code} {ty} has no key"))?;
            let base_names: Vec<String> = bases.split(' ').map(str::to_owned).collect();
            for base in &base_names {
                own.entry(self.number(base)?).or_default().push(index);
            }
            let bases = self.type_ids(&base_names)?;
            let bases = out.slice("TypeId", &bases);
            let targets: Vec<String> = targets.split_whitespace().map(str::to_owned).collect();
            let targets = self.type_ids(&targets)?;
            let targets = out.slice("TypeId", &targets);
            let components: Vec<String> =
                self.components.get(url).into_iter().flatten().map(|(d, e)| format!("({d:?},{e:?})")).collect();
            let components = out.slice("(&str, &str)", &components);
            rows.push(format!(
                "SearchParameter{{url:{url:?},code:{code:?},ty:ParameterType::{},key:ParameterKey({key}),bases:{bases},expression:{expression:?},targets:{targets},components:{components}}},\n",
                capitalised(ty),
            ));
        }
        out.table("pub ", "SEARCH_PARAMETERS", "SearchParameter", &rows);

        let keys: Vec<String> =
            self.keys.iter().map(|row| format!("({:?},ParameterType::{}),\n", row[1], capitalised(&row[2]))).collect();
        out.table("pub ", "PARAMETER_KEYS", "(&str, ParameterType)", &keys);
        let by_code: Vec<String> = sorted_numbers(&self.keys, 1).iter().map(|n| format!("{n},")).collect();
        out.table("", "KEYS_BY_CODE", "u16", &by_code);

        let mut of_types = Vec::new();
        for row in &self.types {
            let mut found: BTreeMap<&str, usize> = BTreeMap::new();
            if row[1] == "resource" {
                // The nearest definition of a code wins.
                for ancestor in self.lineage(&row[0])? {
                    for index in own.get(&self.number(ancestor)?).into_iter().flatten() {
                        found.entry(&self.parameters[*index][1]).or_insert(*index);
                    }
                }
            }
            let indices: Vec<String> = found.values().map(usize::to_string).collect();
            of_types.push(out.slice("u16", &indices) + ",\n");
        }
        out.table("", "PARAMETERS_OF", "&[u16]", &of_types);
        let by_url: Vec<String> = sorted_numbers(&self.parameters, 0).iter().map(|n| format!("{n},")).collect();
        out.table("", "PARAMETERS_BY_URL", "u16", &by_url);
        Ok(())
    }

    fn write_systems(&self, out: &mut Output) {
        let urls: Vec<String> = self.systems.iter().map(|row| format!("{:?},\n", row[1])).collect();
        out.table("pub ", "SYSTEMS", "&str", &urls);
    }

    fn write_compartments(&self, out: &mut Output) -> Result<(), String> {
        let mut rules = Vec::new();
        for row in &self.compartments {
            let parameters: Vec<&str> = row[2].split(' ').collect();
            rules.push((self.number(&row[1])?, self.number(&row[0])?, out.strings(&parameters)));
        }
        rules.sort();
        let rows: Vec<String> = rules
            .iter()
            .map(|(ty, focus, parameters)| {
                format!("CompartmentRule{{compartment:TypeId({focus}),ty:TypeId({ty}),parameters:{parameters}}},\n")
            })
            .collect();
        out.table("pub ", "COMPARTMENTS", "CompartmentRule", &rows);
        Ok(())
    }

    fn write_invariants(&self, out: &mut Output) {
        let rows: Vec<String> = self
            .invariants
            .iter()
            .map(|row| {
                format!(
                    "Invariant{{path:{:?},key:{:?},is_error:{},human:{:?},expression:{:?}}},\n",
                    row[0],
                    row[1],
                    row[2] == "error",
                    row[3],
                    row[4]
                )
            })
            .collect();
        out.table("pub ", "INVARIANTS", "Invariant", &rows);
    }

    fn write_bindings(&self, out: &mut Output) {
        let option = |cell: &str| if cell.is_empty() { "None".to_owned() } else { format!("Some({cell:?})") };
        let rows: Vec<String> = self
            .bindings
            .iter()
            .map(|row| {
                format!(
                    "Binding{{path:{:?},strength:Strength::{},value_set:{:?},max:{}}},\n",
                    row[0],
                    capitalised(&row[1]),
                    row[2],
                    option(&row[3])
                )
            })
            .collect();
        out.table("", "BINDINGS", "Binding", &rows);
    }

    fn write_occurred(&self, out: &mut Output) -> Result<(), String> {
        let mut paths = vec![Vec::new(); self.types.len()];
        for row in &self.occurred {
            paths[self.number(&row[0])?] = row[1].split(' ').collect();
        }
        let rows: Vec<String> = paths.iter().map(|p| out.strings(p) + ",\n").collect();
        out.table("", "OCCURRED", "&[&str]", &rows);
        Ok(())
    }

    fn write_headlines(&self, out: &mut Output) -> Result<(), String> {
        let mut by_type: Vec<Option<&Row>> = vec![None; self.types.len()];
        for row in &self.headlines {
            by_type[self.number(&row[0])?] = Some(row);
        }
        let mut rows = Vec::new();
        for row in by_type {
            let mut columns = |n: usize| {
                let paths: Vec<&str> = row.map(|row| row[n].split_whitespace().collect()).unwrap_or_default();
                out.strings(&paths)
            };
            let [what, value, parts, status, ended] = [columns(1), columns(2), columns(3), columns(4), columns(5)];
            rows.push(format!("Headline{{what:{what},value:{value},parts:{parts},status:{status},ended:{ended}}},\n"));
        }
        out.table("", "HEADLINES", "Headline", &rows);

        let mut rows = Vec::new();
        for row in &self.panels {
            let coded = |part: &str| part.split_once('|').map(|(system, code)| format!("({system:?},{code:?})"));
            let parts: Option<Vec<String>> = row[1].split(' ').map(coded).collect();
            let parts = parts.ok_or_else(|| format!("panels.tsv: {row:?} is not of system|code"))?;
            rows.push(out.slice("(&str, &str)", &parts) + ",\n");
        }
        out.table("pub ", "PANELS", "&[(&str, &str)]", &rows);

        let mut rows = Vec::new();
        for row in &self.lanes {
            let types: Result<Vec<String>, String> = row[2].split(' ').map(|ty| Ok(format!("TypeId({})", self.number(ty)?))).collect();
            let types = out.slice("TypeId", &types?);
            rows.push(format!("Lane{{name:{:?},form:LaneForm::{},types:{types}}},\n", row[0], capitalised(&row[1])));
        }
        out.table("pub ", "LANES", "Lane", &rows);
        Ok(())
    }

    /// How datatypes and well-known extensions lie in columns.
    fn write_views(&self, out: &mut Output) -> Result<(), String> {
        for (name, table) in [("VIEW_COLUMNS", &self.view_columns), ("VIEW_EXTENSIONS", &self.view_extensions)] {
            let mut by_type: Vec<Vec<String>> = vec![Vec::new(); self.types.len()];
            for row in table {
                let [ty, form, name, path, as_type, words] = row.as_slice() else {
                    return Err("a table of view columns has six cells".into());
                };
                by_type[self.number(ty)?].push(format!(
                    "ViewColumn{{form:ViewForm::{},name:{name:?},path:{path:?},ty:TypeId({}),words:{words:?}}}",
                    capitalised(form),
                    self.number(as_type)?
                ));
            }
            let rows: Vec<String> = by_type.iter().map(|columns| out.slice("ViewColumn", columns) + ",\n").collect();
            out.table("", name, "&[ViewColumn]", &rows);
        }
        Ok(())
    }
}

/// A registry: the rows stand in the order of their numbers, from 0.
fn registry(folder: &Path, name: &str) -> Result<Vec<Row>, String> {
    let rows = read_table(folder, name)?;
    match rows.iter().enumerate().find(|(i, row)| row[0] != i.to_string()) {
        Some((i, row)) => Err(format!("{name}: {i} expected where {row:?} stands")),
        None => Ok(rows),
    }
}

/// The positions of the rows in the order of one column.
fn sorted_numbers(rows: &[Row], column: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..rows.len()).collect();
    numbers.sort_by_key(|n| &rows[*n][column]);
    numbers
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// `CodeableConcept` → `CODEABLE_CONCEPT`
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (i, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}
