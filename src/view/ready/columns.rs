//! Elements to columns.

use super::names::{Names, joined, snake};
use super::patient::{may_repeat, patient, way_to_patient};
use super::{Column, Key};
use crate::model::{self, Element, Field, Kind, TypeId, ViewColumn, ViewForm};

/// The columns of one kind of row, while they are gathered.
pub struct Flat {
    pub columns: Vec<Column>,
    names: Names,
    resource: TypeId,
    /// What goes in front of a name that cannot stand alone.
    owner: String,
    /// The way from the resource to its patient.
    patient: Option<String>,
    /// Nested elements around, outermost first: what refers back to one of them ends.
    around: Vec<TypeId>,
}

/// Where values are found, and what they are called.
struct Place<'a> {
    /// FHIRPath from what the row is of; empty for that itself.
    path: String,
    name: Vec<&'a str>,
    short: &'static str,
    repeats: bool,
    /// Whether it lies below another element in the same row, or the definition does not count it among what is most important.
    is_minor: bool,
    is_choice: bool,
}

impl Place<'_> {
    /// What a row is of.
    fn row(short: &'static str) -> Self {
        Place { path: String::new(), name: Vec::new(), short, repeats: false, is_minor: false, is_choice: false }
    }
}

impl Flat {
    pub fn of(resource: TypeId) -> Flat {
        Flat {
            columns: Vec::new(),
            names: Names::default(),
            resource,
            owner: snake(resource.name()),
            patient: way_to_patient(resource),
            around: Vec::new(),
        }
    }

    /// The same for rows of a nested element.
    pub fn row_of(mut self, name: &str, around: &[TypeId]) -> Flat {
        self.owner = snake(name);
        self.around = around.to_vec();
        self.columns.clear();
        self
    }

    pub fn add(&mut self, name: &str, path: &str, ty: TypeId, description: String, key: Option<Key>) -> String {
        let name = self.names.take(&self.owner, name);
        self.columns.push(Column { name: name.clone(), path: path.to_owned(), ty, description, key });
        name
    }

    /// The patient that the resource is about, where it refers to one.
    pub fn patient(&mut self) {
        if let (Some(way), Some(patient)) = (self.patient.clone(), patient()) {
            let first = if may_repeat(self.resource, &way) { ".first()" } else { "" };
            let path = format!("{way}.getReferenceKey({}){first}", patient.name());
            self.add("patient_id", &path, model::ID, format!("The patient whom it is about: id of the {}", patient.name()), Some(Key::Resource(vec![patient], None)));
        }
    }

    /// What well-known extensions say of the resource.
    pub fn extensions(&mut self) {
        for column in model::view_extensions(self.resource) {
            self.add(column.name, column.path, column.ty, column.words.to_owned(), None);
        }
    }

    /// The elements of a type, other than those that every type has.
    pub fn elements(&mut self, ty: TypeId) {
        self.within(ty, &Place::row(""));
    }

    fn within(&mut self, ty: TypeId, place: &Place) {
        for (number, element) in ty.get().elements.iter().enumerate().filter(|(_, element)| is_own(ty, element)) {
            let fields: Vec<&'static Field> = ty.get().fields.iter().filter(|field| usize::from(field.element) == number).collect();
            let mut name = place.name.clone();
            name.push(element.name);
            let is_minor = !place.name.is_empty() || ty == self.resource && !element.is_summary;
            let place = Place { path: then(&place.path, element.name), name, short: element.short, repeats: element.max != 1, is_minor, is_choice: element.is_choice };
            match fields.as_slice() {
                [field] if !element.is_choice => self.value(field, &place),
                fields => self.choice(fields, &place),
            }
        }
    }

    /// One column for each type; the types that tell when share theirs.
    fn choice(&mut self, fields: &[&'static Field], place: &Place) {
        let of = |ty: TypeId| format!("{}.ofType({})", place.path, ty.name());
        let has = |ty: TypeId| fields.iter().any(|field| field.ty == ty);
        let is_time = |ty: TypeId| [model::DATE, model::DATE_TIME, model::INSTANT, model::PERIOD, model::TIMING].contains(&ty);
        let tells_when = |ty: TypeId| is_time(ty) || [model::AGE, model::DURATION, model::RANGE, model::STRING].contains(&ty);
        let shared = fields.iter().filter(|field| is_time(field.ty)).count() > 1 && fields.iter().all(|field| tells_when(field.ty));
        if shared {
            let mut starts = Vec::new();
            let mut ends = Vec::new();
            for ty in [model::DATE_TIME, model::INSTANT, model::DATE, model::PERIOD, model::TIMING].into_iter().filter(|ty| has(*ty)) {
                match ty {
                    model::PERIOD => {
                        starts.push(then(&of(ty), "start"));
                        ends.push(then(&of(ty), "end"));
                    }
                    model::TIMING => {
                        starts.push(then(&of(ty), "event.first()"));
                        starts.push(then(&of(ty), "repeat.bounds.ofType(Period).start"));
                        ends.push(then(&of(ty), "repeat.bounds.ofType(Period).end"));
                    }
                    _ => starts.push(of(ty)),
                }
            }
            let ty = if has(model::DATE) && !has(model::DATE_TIME) { model::DATE } else { model::DATE_TIME };
            self.add(&joined(&place.name), &first_of(&starts), ty, told(place.short, "when, or when it began"), None);
            if !ends.is_empty() {
                self.add(&joined(&[place.name.as_slice(), &["end"]].concat()), &first_of(&ends), ty, told(place.short, "when it ended, of a period"), None);
            }
        }
        for field in fields.iter().filter(|field| !(shared && is_time(field.ty))) {
            let mut name = place.name.clone();
            if field.ty != model::REFERENCE {
                // the short name of a type, unless another type has it
                let choice = model::view_columns(field.ty).iter().find(|column| column.form == ViewForm::Choice).map(|column| column.name);
                let is_free = |name: &&str| !fields.iter().any(|other| snake(other.ty.name()) == *name);
                name.push(choice.filter(is_free).unwrap_or(field.ty.name()));
            }
            let place = Place { path: of(field.ty), name, ..*place };
            self.value(field, &place);
        }
    }

    fn value(&mut self, field: &Field, place: &Place) {
        let ty = field.ty;
        match ty.get().kind {
            Kind::Primitive => self.primitive(ty, place),
            Kind::Complex if ty == model::REFERENCE => self.reference(field, place),
            Kind::Complex => self.datatype(ty, place, false),
            // of those that repeat there are side views
            Kind::Backbone if place.repeats || self.around.contains(&ty) || self.refers_back(ty) => {}
            Kind::Backbone => {
                self.around.push(ty);
                self.within(ty, place);
                self.around.pop();
            }
            Kind::Resource => {}
        }
    }

    /// Whether values of a type hold values of it again, so that there is a side view of all of them.
    fn refers_back(&self, ty: TypeId) -> bool {
        !super::side::ways_back(ty, &self.around).is_empty()
    }

    pub fn primitive_row(&mut self, ty: TypeId, name: &str, short: &'static str) {
        self.primitive(ty, &Place { path: "$this".into(), name: vec![name], ..Place::row(short) });
    }

    fn primitive(&mut self, ty: TypeId, place: &Place) {
        if [model::BASE64_BINARY, model::XHTML].contains(&ty) {
            return;
        }
        let name = joined(&place.name);
        let is_text = model::is_a(ty, model::STRING) || model::is_a(ty, model::URI);
        match place.repeats {
            false if place.is_choice => self.add(&name, &place.path, ty, told(place.short, ty.name()), None),
            false => self.add(&name, &place.path, ty, place.short.to_owned(), None),
            true if is_text => self.add(&name, &then(&place.path, "join(', ').where($this != '')"), model::STRING, told(place.short, "all of them"), None),
            true => self.add(&name, &then(&place.path, "first()"), ty, told(place.short, "the first"), None),
        };
    }

    /// The columns of rows that are values of a datatype.
    pub fn datatype_row(&mut self, field: &Field, name: &str, short: &'static str) {
        let place = Place { name: vec![name], ..Place::row(short) };
        if field.ty == model::REFERENCE {
            self.reference(field, &Place { path: "$this".into(), ..place });
        } else if model::view_columns(field.ty).iter().any(|column| column.form == ViewForm::Alone) {
            self.datatype(field.ty, &place, true);
        } else {
            self.elements(field.ty);
        }
    }

    fn datatype(&mut self, ty: TypeId, place: &Place, alone: bool) {
        let columns = model::view_columns(ty);
        let of_all = |column: &&ViewColumn| column.form == ViewForm::Many;
        let of_one = |column: &&ViewColumn| match column.form {
            ViewForm::One | ViewForm::Alone => true,
            ViewForm::Full => !place.is_minor,
            ViewForm::Brief => place.is_minor,
            ViewForm::Chosen => alone || place.is_choice && !place.is_minor,
            ViewForm::Many | ViewForm::Choice => false,
        };
        let name = |column: &ViewColumn| joined(&[place.name.as_slice(), &[column.name]].concat());
        if place.repeats && !alone && columns.iter().any(|column| of_all(&column)) {
            for column in columns.iter().filter(of_all) {
                self.add(&name(column), &column.path.replace("{}", &place.path), column.ty, told(place.short, column.words), None);
            }
            return;
        }
        let (path, first) = if place.repeats { (then(&place.path, "first()"), ", of the first") } else { (place.path.clone(), "") };
        for column in columns.iter().filter(of_one) {
            let words = format!("{}{first}", column.words);
            let words = words.strip_prefix(", ").unwrap_or(&words);
            self.add(&name(column), &then(&path, column.path), column.ty, told(place.short, words), None);
        }
    }

    fn reference(&mut self, field: &Field, place: &Place) {
        let path = if place.repeats { then(&place.path, "first()") } else { place.path.clone() };
        let first = if place.repeats { ", of the first" } else { "" };
        let name = |what: &str| joined(&[place.name.as_slice(), &[what]].concat());
        let only = match field.targets {
            [only] => Some(*only),
            _ => None,
        };
        // the patient has a column already
        if only.is_none() || only != patient() || self.patient.as_deref() != Some(&path) {
            let description = match only {
                Some(only) => format!("id of the {}{first}", only.name()),
                None => format!("id of the resource{first}"),
            };
            let key = only.map_or_else(|| "getReferenceKey()".to_owned(), |only| format!("getReferenceKey({})", only.name()));
            let id = self.add(&name("id"), &then(&path, &key), model::ID, told(place.short, &description), None);
            let mut tells_type = None;
            if only.is_none() {
                tells_type = Some(self.add(&name("type"), &then(&path, "resolve().type().name"), model::CODE, told(place.short, &format!("type of the resource{first}")), None));
            }
            if !field.targets.is_empty()
                && let Some(column) = self.columns.iter_mut().find(|column| column.name == id)
            {
                column.key = Some(Key::Resource(field.targets.to_vec(), tells_type));
            }
        }
        if place.repeats || place.is_minor {
            return;
        }
        self.add(&name("display"), &then(&path, "display"), model::STRING, told(place.short, "in words"), None);
    }
}

/// Whether an element is not one of those that all types of its kind have, such as ids, extensions and the narrative.
pub fn is_own(ty: TypeId, element: &Element) -> bool {
    let mut base = ty.get().base;
    while let Some(ty) = base {
        if ty.get().is_abstract && ty.get().elements.iter().any(|of_base| of_base.name == element.name) {
            return false;
        }
        base = ty.get().base;
    }
    true
}

/// A path, and another one from each of its values.
fn then(path: &str, next: &str) -> String {
    let is_simple = next.starts_with(|c: char| c.is_ascii_lowercase()) && !next.starts_with("iif(");
    match (path, is_simple) {
        ("", _) => next.to_owned(),
        ("$this", true) => next.to_owned(),
        (path, true) => format!("{path}.{next}"),
        (path, false) => format!("{path}.select({next})"),
    }
}

fn first_of(paths: &[String]) -> String {
    match paths {
        [only] => only.clone(),
        paths => format!("({}).first()", paths.join(" | ")),
    }
}

/// What HL7 says of an element, and what the column is of it.
fn told(short: &str, words: &str) -> String {
    match (short, words) {
        (short, "") => short.to_owned(),
        ("", words) => words.to_owned(),
        (short, words) => format!("{short}: {words}"),
    }
}
