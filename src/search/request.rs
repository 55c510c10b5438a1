//! A search request, taken apart: what rows must satisfy, and how the answer is shaped.
//! <https://hl7.org/fhir/R4/search.html>

use super::criteria::{Catalog, Criteria, argument, invalid, refuse, resource_type};
use super::cursor::Cursor;
use super::filter::Filter;
use super::include::Include;
use super::project::{self, Shape};
use super::quote::query_part;
use super::sort::{Sort, SortKey};
use crate::index::query::{self, Argument, ErrorKind, MAX_CONDITIONS, MAX_TEXT, QueryError, shown};
use crate::model::{self, TypeId};

#[derive(Debug, PartialEq)]
pub struct Request {
    /// Of these resource types; of any, if there are none.
    pub types: Vec<TypeId>,
    /// Where no types were asked for, those that the lake has: naming them spares the planner the others.
    pub present: Vec<TypeId>,
    pub filter: Filter,
    /// All matches are found before they are put in order: see `resolve::fence`.
    pub fenced: bool,
    pub sort: Vec<Sort>,
    pub count: u64,
    pub total: Total,
    /// Only the number of matches is asked for.
    pub only_total: bool,
    pub includes: Vec<Include>,
    pub shape: Shape,
    pub contained: Contained,
    /// Where the page before ended.
    pub cursor: Option<Cursor>,
    /// What was understood, without the cursor: the start of every link.
    pub understood: String,
    /// Arguments that were not understood and are ignored, each with the reason.
    pub ignored: Vec<(String, String)>,
}

/// `_total`. <https://hl7.org/fhir/R4/search.html#total>
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Total {
    None,
    Estimate,
    Accurate,
}

/// `_contained` and `_containedType`. <https://hl7.org/fhir/R4/search.html#contained>
#[derive(Debug, PartialEq, Clone, Copy)]
pub struct Contained {
    /// Resources that stand by themselves are searched.
    pub standing: bool,
    /// Contained ones are searched.
    pub inside: bool,
    /// What is returned for a contained match: the contained resource instead of its container.
    pub returned: bool,
}

/// What becomes of arguments that are not understood. <https://hl7.org/fhir/R4/search.html#errors>
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum Handling {
    Strict,
    Lenient,
}

pub const DEFAULT_COUNT: u64 = 20;
pub const MAX_COUNT: u64 = 10_000;
/// The argument that a link to the next page carries.
pub const CURSOR: &str = "_cursor";

type Result<T> = std::result::Result<T, QueryError>;

/// What a request is read with.
pub struct Setting<'a> {
    /// Microseconds since 2000-01-01 UTC.
    pub now: i64,
    pub handling: Handling,
    pub catalog: &'a mut dyn Catalog,
}

impl Request {
    /// All resources of a type that meet the filter.
    pub fn of(ty: TypeId, filter: Filter) -> Request {
        Request {
            types: vec![ty],
            present: Vec::new(),
            filter,
            fenced: false,
            sort: Vec::new(),
            count: DEFAULT_COUNT,
            total: Total::None,
            only_total: false,
            includes: Vec::new(),
            shape: Shape::Whole,
            contained: Contained { standing: true, inside: false, returned: false },
            cursor: None,
            understood: String::new(),
            ignored: Vec::new(),
        }
    }

    /// Reads `[Type|Type/id/Type|Type/id/*][?arguments]`.
    pub fn parse(text: &str, setting: Setting) -> Result<Request> {
        if text.len() > MAX_TEXT {
            return refuse(ErrorKind::TooLarge, format!("search is longer than {MAX_TEXT} bytes"), "");
        }
        let text = text.trim();
        let (path, arguments) = match text.find(['?', '=', '&']) {
            Some(at) if text.as_bytes()[at] == b'?' => (&text[..at], &text[at + 1..]),
            Some(_) => ("", text),
            None => (text, ""),
        };
        let mut request = Request { types: Vec::new(), ..Request::of(model::RESOURCE, Filter::EVERYTHING) };
        let mut filters = Vec::new();
        filters.extend(request.path(path)?);
        request.arguments(arguments, setting, filters)?;
        Ok(request)
    }

    /// The type that is searched, and the compartment that it is searched in.
    fn path(&mut self, path: &str) -> Result<Option<Filter>> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix("/_search").or_else(|| path.strip_suffix('/')).unwrap_or(path);
        let parts: Vec<&str> = path.split('/').collect();
        self.understood = path.to_owned();
        match parts[..] {
            [""] | ["_search"] => {
                self.understood.clear();
                Ok(None)
            }
            [name] => {
                self.types.push(resource_type(name)?);
                Ok(None)
            }
            [compartment, id, inside] => {
                let focus = resource_type(compartment)?;
                if !model::COMPARTMENTS.iter().any(|rule| rule.compartment == focus) {
                    let mut names: Vec<&str> = model::COMPARTMENTS.iter().map(|rule| rule.compartment.name()).collect();
                    names.sort();
                    names.dedup();
                    return invalid(format!("{} has no compartment", focus.name()), &format!("compartments are those of {}", names.join(", ")));
                }
                if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
                    return invalid(format!("\"{}\" is no id", shown(id)), "");
                }
                let in_compartment = |ty: TypeId| model::compartment_rules(ty).any(|rule| rule.compartment == focus && !rule.parameters.is_empty());
                if inside == "*" {
                    self.types = model::resource_types().filter(|ty| in_compartment(*ty)).collect();
                } else {
                    let ty = resource_type(inside)?;
                    if !in_compartment(ty) {
                        return invalid(format!("{} is never in a compartment of {}", ty.name(), focus.name()), "");
                    }
                    self.types.push(ty);
                }
                Ok(Some(Filter::Row(vec![argument("_compartment", &format!("{compartment}/{id}"))])))
            }
            _ => invalid(format!("\"{}\" is no path of a search", shown(path)), "write Type?…, Patient/id/Type?… or ?_type=Type,Type&…"),
        }
    }

    fn arguments(&mut self, text: &str, setting: Setting, mut filters: Vec<Filter>) -> Result<()> {
        let mut read: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return invalid(format!("search parameter \"{}\" has no value", shown(part)), "write parameter=value");
            };
            if read.len() == MAX_CONDITIONS {
                return refuse(ErrorKind::TooLarge, format!("search has more than {MAX_CONDITIONS} parameters"), "");
            }
            read.push((query::decode(name)?, query::decode(value)?));
        }
        // the types decide what the rest means
        if let Some((_, value)) = read.iter().find(|(name, _)| name == "_type") {
            if self.types.len() == 1 {
                return invalid("_type is for searches that name no type", "write Type?… or ?_type=Type,Type&…");
            }
            let mut named = value.split(',').map(resource_type).collect::<Result<Vec<TypeId>>>()?;
            named.sort();
            named.dedup();
            // of a whole compartment these
            if let Some(outside) = named.iter().find(|ty| !self.types.is_empty() && !self.types.contains(ty)) {
                return invalid(format!("{} is never in that compartment", outside.name()), "");
            }
            self.types = named;
        }
        let mut criteria = Criteria::new(setting.now, setting.catalog);
        let mut understood: Vec<String> = Vec::new();
        let mut cursor = None;
        for (name, value) in &read {
            let part = || format!("{}={}", query_part(name), query_part(value));
            if name == CURSOR {
                cursor = Some(value.as_str());
                continue;
            }
            let plain = argument(name, value);
            let taken = if name == "_type" || self.shape(&plain)? {
                Ok(())
            } else {
                criteria.read(&self.types, name, value).map(|filter| filters.push(filter))
            };
            match taken {
                Ok(()) => understood.push(part()),
                Err(error) if setting.handling == Handling::Lenient && is_unknown(&error) => self.ignored.push((name.clone(), error.message)),
                Err(error) => return Err(error),
            }
        }
        if !understood.is_empty() {
            self.understood = format!("{}?{}", self.understood, understood.join("&"));
        }
        self.filter = Filter::All(filters).simplify();
        self.search_contained()?;
        self.cursor = cursor.map(|text| Cursor::read(text, &self.order())).transpose()?;
        Ok(())
    }

    /// Takes an argument that shapes the answer; false if it is none.
    fn shape(&mut self, argument: &Argument) -> Result<bool> {
        let value = argument.value.as_str();
        let wrong = |known: &str| invalid(format!("\"{}\" is no value for {}", shown(value), argument.name), known);
        if !query::is_result_parameter(&argument.name) {
            return Ok(false);
        }
        if argument.modifier.is_some() && !matches!(argument.name.as_str(), "_include" | "_revinclude") {
            return invalid(format!("{} takes no modifier", argument.name), "");
        }
        match argument.name.as_str() {
            "_count" => match value.parse::<u64>() {
                Ok(0) => (self.total, self.only_total) = (Total::Accurate, true),
                Ok(count) if count <= MAX_COUNT => self.count = count,
                _ => return invalid("_count takes a whole number up to 10000", "follow the next links for more"),
            },
            "_total" => match value {
                "none" => {}
                "estimate" => self.total = Total::Estimate,
                "accurate" => self.total = Total::Accurate,
                _ => return wrong("none, estimate or accurate"),
            },
            "_summary" => match value {
                "false" => self.shape = Shape::Whole,
                "true" => self.shape = Shape::Summary,
                "text" => self.shape = Shape::Text,
                "data" => self.shape = Shape::Data,
                "count" => (self.total, self.only_total) = (Total::Accurate, true),
                _ => return wrong("true, text, data, count or false"),
            },
            "_elements" => {
                let ty = if let [ty] = self.types.as_slice() { *ty } else { model::RESOURCE };
                match (project::elements(ty, value), &mut self.shape) {
                    (Ok(Shape::Elements(more)), Shape::Elements(elements)) => elements.extend(more),
                    (Ok(shape), own) => *own = shape,
                    (Err(known), _) => return invalid(format!("unknown element in _elements={}", shown(value)), &format!("{} has: {}", ty.name(), known.join(", "))),
                }
            }
            "_sort" => {
                for rule in value.split(',') {
                    let sort = Sort::read(&self.types, rule)?;
                    if !self.sort.iter().any(|s| s.by == sort.by) {
                        self.sort.push(sort);
                    }
                }
            }
            "_include" | "_revinclude" => {
                if self.includes.len() >= 100 {
                    return refuse(ErrorKind::TooLarge, "search has more than 100 includes", "");
                }
                self.includes.push(Include::read(argument)?);
            }
            "_contained" => match value {
                "false" => (self.contained.standing, self.contained.inside) = (true, false),
                "true" => (self.contained.standing, self.contained.inside) = (false, true),
                "both" => (self.contained.standing, self.contained.inside) = (true, true),
                _ => return wrong("true, false or both"),
            },
            "_containedType" => match value {
                "container" => self.contained.returned = false,
                "contained" => self.contained.returned = true,
                _ => return wrong("container or contained"),
            },
            // how the answer is written is for who sends it
            "_format" | "_pretty" => {}
            "_score" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Turns the filter into one on what the rows contain.
    fn search_contained(&mut self) -> Result<()> {
        if !self.contained.inside {
            return Ok(());
        }
        let ([ty], true) = (self.types.as_slice(), self.includes.is_empty()) else {
            return refuse(ErrorKind::NotSupported, "_contained is for one resource type, without includes", "");
        };
        let arguments = match std::mem::replace(&mut self.filter, Filter::EVERYTHING) {
            Filter::Row(arguments) => arguments,
            everything if everything == Filter::EVERYTHING => Vec::new(),
            _ => return refuse(ErrorKind::NotSupported, "_contained goes with parameters that one resource decides by itself", "leave out chains, _id and _lastUpdated"),
        };
        let inside = Filter::Contained { ty: *ty, arguments: arguments.clone() };
        self.filter = if self.contained.standing {
            let standing = Filter::All(vec![Filter::Types(vec![*ty]), Filter::Row(arguments)]);
            Filter::Any(vec![standing, inside]).simplify()
        } else {
            inside
        };
        // any resource may contain one
        self.types.clear();
        Ok(())
    }

    /// The order of the answer: what was asked for, made total by type and id.
    pub fn order(&self) -> Vec<Sort> {
        let mut order = self.sort.clone();
        // as the indexes (occurred DESC, id) and (last_updated DESC, id) have it, forwards or backwards
        let descending = matches!(order.last(), Some(Sort { by: SortKey::Occurred | SortKey::LastUpdated, descending: false }));
        if self.types.len() != 1 && !order.iter().any(|s| s.by == SortKey::Type) {
            order.push(Sort { by: SortKey::Type, descending: false });
        }
        if let Some(at) = order.iter().position(|s| s.by == SortKey::Id) {
            if self.types.len() == 1 {
                order.truncate(at + 1);
            }
        } else {
            order.push(Sort { by: SortKey::Id, descending });
        }
        order
    }

    /// The words that `_text` and `_content` look for, and whether only in the narrative: what a score is measured by.
    pub fn scored(&self) -> Option<(&str, bool)> {
        match &self.filter {
            Filter::Text { narrative_only, words } => Some((words, *narrative_only)),
            Filter::All(parts) => parts.iter().find_map(|part| match part {
                Filter::Text { narrative_only, words } => Some((words.as_str(), *narrative_only)),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// Whether the argument is one that a lenient server ignores: unknown or not supported, as against wrongly written.
fn is_unknown(error: &QueryError) -> bool {
    matches!(error.kind, ErrorKind::Unknown | ErrorKind::NotSupported | ErrorKind::NotRowLocal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::criteria::Standard;
    use crate::search::cursor::Position;

    fn parse(text: &str, handling: Handling) -> Result<Request> {
        Request::parse(text, Setting { now: 0, handling, catalog: &mut Standard })
    }

    fn strict(text: &str) -> Result<Request> {
        parse(text, Handling::Strict)
    }

    #[test]
    fn a_request_is_split_into_filter_and_shape() {
        let request = strict("Patient?name=smith&_id=a,b&_lastUpdated=ge2020&_count=5&_sort=-_lastUpdated&_cursor=7~x").unwrap();
        let Filter::All(parts) = &request.filter else { panic!("{:?}", request.filter) };
        assert!(matches!(&parts[..], [Filter::Row(_), Filter::Id(_), Filter::LastUpdated(_)]), "{parts:?}");
        assert_eq!(request.count, 5);
        assert_eq!(request.cursor, Some(Cursor(vec![Position::Time(7), Position::Text("x".into())])));
        assert_eq!(request.understood, "Patient?name=smith&_id=a,b&_lastUpdated=ge2020&_count=5&_sort=-_lastUpdated");
    }

    #[test]
    fn what_was_understood_reads_back_as_the_same_request() {
        for text in [
            "Patient?name:exact=O'Br%2Cien%26x\\,y&birthdate=ge1970-01-01T10:00%2B02:00",
            "Observation?subject:Patient.name=a&_has:Provenance:target:agent=x&_include:iterate=Observation:subject&_elements=code,value",
            "Patient/p1/Observation?category=laboratory&_sort=-date",
            "?_type=Patient,Practitioner&name=a&_total=estimate",
        ] {
            let request = strict(text).unwrap();
            assert_eq!(strict(&request.understood).unwrap(), request, "{text}");
        }
    }

    #[test]
    fn about_a_date_is_measured_from_now_also_within_a_composite() {
        let value = |text: &str| match strict(text).unwrap().filter {
            Filter::Row(arguments) => arguments[0].value.clone(),
            other => panic!("{other:?}"),
        };
        assert!(value("Observation?date=ap2020").starts_with("ap20"));
        assert!(value("Observation?date=ap2020").contains('/'));
        assert!(value("Observation?code-value-date=a$ap2020").contains('/'));
        assert!(value("?date=ap2020").contains('/'));
        assert_eq!(strict("Observation?date=ap2020").unwrap().understood, "Observation?date=ap2020");
    }

    #[test]
    fn codes_below_another_are_for_terminology_but_not_mime_types() {
        assert!(matches!(strict("Observation?code:below=http://x.org|a").unwrap().filter, Filter::Codes(_)));
        assert!(matches!(strict("Observation?code:in=http://x.org/vs").unwrap().filter, Filter::Codes(_)));
        assert!(matches!(strict("DocumentReference?contenttype:below=image").unwrap().filter, Filter::Row(_)));
    }

    #[test]
    fn chains_follow_every_type_that_knows_the_parameter() {
        let request = strict("Observation?subject.name=a").unwrap();
        let targets: Vec<&str> = match &request.filter {
            Filter::Any(parts) => parts.iter().map(|part| if let Filter::Chain { target, .. } = part { target.name() } else { "?" }).collect(),
            other => panic!("{other:?}"),
        };
        assert_eq!(targets, ["Location", "Patient"]);
        let Filter::Chain { inner, .. } = strict("Observation?encounter.service-provider.name=a").unwrap().filter else { panic!() };
        assert!(matches!(*inner, Filter::Chain { .. }));
    }

    #[test]
    fn odd_requests_are_refused_with_a_reason() {
        for text in [
            "Nonsense?name=a",
            "Patient/1",
            "Patient/1/2/3?x=y",
            "Location/1/Patient",
            "Patient/a'b/Observation",
            "Patient/1/Location",
            "Patient?_count=-1",
            "Patient?_cursor=a~b",
            "Patient?_include=Patient",
            "Patient?_include=Observation:code",
            "Patient?_revinclude=*",
            "Patient?_has:Observation:patient=x",
            "Patient?_has:Observation:code:code=x",
            "Observation?code.name=x",
            "Observation?subject:Practitioner.name=x",
            "Patient?_type=Patient",
            "Patient?_sort=nonsense",
            "Patient?nonsense=1",
            "Patient?_summary=maybe",
            "?name.x=1",
            "Patient?_query=current",
        ] {
            assert!(strict(text).is_err(), "{text}");
        }
        let deep = format!("Patient?{}name=x", "link.".repeat(40));
        assert_eq!(strict(&deep).map_err(|e| e.kind), Err(ErrorKind::TooLarge));
    }

    #[test]
    fn lenient_handling_ignores_what_it_does_not_know_and_says_so() {
        let request = parse("Patient?name=a&nonsense=1&_query=x", Handling::Lenient).unwrap();
        assert_eq!(request.understood, "Patient?name=a");
        assert_eq!(request.ignored.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["nonsense", "_query"]);
        assert!(parse("Patient?birthdate=soon", Handling::Lenient).is_err());
    }

    #[test]
    fn the_order_is_total() {
        let keys = |text: &str| strict(text).unwrap().order().into_iter().map(|s| (s.by, s.descending)).collect::<Vec<_>>();
        assert_eq!(keys("Patient"), [(SortKey::Id, false)]);
        assert_eq!(keys("Observation?_sort=-date"), [(SortKey::Occurred, true), (SortKey::Id, false)]);
        assert_eq!(keys("Observation?_sort=date"), [(SortKey::Occurred, false), (SortKey::Id, true)]);
        assert_eq!(keys("Patient?_sort=_id,family"), [(SortKey::Id, false)]);
        assert_eq!(keys("?_type=Patient,Group"), [(SortKey::Type, false), (SortKey::Id, false)]);
    }
}
