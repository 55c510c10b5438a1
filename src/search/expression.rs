//! `_fhirpath=expression`: search on any element or extension, without a search parameter for it.
//!
//! A row is found if the expression is true of its resource, or leads to anything in it. It is compiled for each resource type
//! that comes along, once.

use super::custom::refused;
use crate::index::query::QueryError;
use crate::json::Node;
use crate::model::{TypeId, type_named};
use crate::path::{self, Condition};
use std::cell::RefCell;
use std::rc::Rc;

#[cfg(feature = "pg")]
mod sql;

/// An error if the expression is none that resources of the type can be searched by.
pub fn check(expression: &str, ty: TypeId) -> Result<(), QueryError> {
    path::compile_condition(expression, ty).map(|_| ()).map_err(refused)
}

/// An expression with what it compiles to for each type seen so far.
pub struct Holds {
    expression: String,
    compiled: RefCell<Vec<(TypeId, Rc<Condition>)>>,
}

impl Holds {
    pub fn new(expression: &str) -> Holds {
        Holds { expression: expression.to_owned(), compiled: RefCell::default() }
    }

    /// Whether it holds for a resource; what is no resource has nothing.
    pub fn of(&self, resource: Node) -> Result<bool, QueryError> {
        let ty = resource.get("resourceType").and_then(Node::as_str).and_then(type_named).filter(|ty| ty.is_concrete_resource());
        let Some(ty) = ty else { return Ok(false) };
        Ok(self.compiled(ty)?.holds(resource, resource) == Some(true))
    }

    fn compiled(&self, ty: TypeId) -> Result<Rc<Condition>, QueryError> {
        if let Some((_, condition)) = self.compiled.borrow().iter().find(|(known, _)| *known == ty) {
            return Ok(condition.clone());
        }
        let condition = Rc::new(path::compile_condition(&self.expression, ty).map_err(refused)?);
        self.compiled.borrow_mut().push((ty, condition.clone()));
        Ok(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn holds(resource: &str, expression: &str) -> Result<bool, QueryError> {
        let container = json::parse(resource.as_bytes(), &json::Limits::default()).unwrap();
        Holds::new(expression).of(json::root(&container).unwrap())
    }

    #[test]
    fn what_is_true_or_there_is_found() {
        let patient = r#"{"resourceType":"Patient","id":"a","active":false,"gender":"male","birthDate":"1970-01-01",
            "maritalStatus":{"coding":[{"system":"s","code":"M"}]},"name":[{"family":"A"},{"given":["B"],"_given":[{"extension":[{"url":"http://x.org/g","valueCode":"x"}]}]}],
            "extension":[{"url":"http://x.org/n","valueInteger":3},{"url":"http://x.org/c","extension":[{"url":"in","valueString":"deep"}]},
                {"url":"http://x.org/q","valueQuantity":{"value":5,"code":"mg","system":"http://unitsofmeasure.org"}}],
            "_birthDate":{"id":"b","extension":[{"url":"http://x.org/time","valueDateTime":"1970-01-01T10:00:00Z"}]},
            "contact":[{"period":{"start":"2020-01","end":"2020-02"}}]}"#;
        for expression in [
            "gender", "gender = 'male'", "Patient.gender = 'male'", "active.not()", "active = false", "name.family.exists()", "deceased.empty()",
            "maritalStatus.coding.where(system = 's' and code = 'M').exists()", "extension('http://x.org/n')", "extension('http://x.org/n').value = 3",
            "extension('http://x.org/c')", "extension('http://x.org/c').extension('in').value = 'deep'", "name.where(given.exists())", "Observation.empty()",
            "gender != 'female' and name.exists()", "birthDate < @1970-02", "birthDate = @1970-01-01", "birthDate <= @1970-01-01", "@1969 < birthDate",
            "extension('http://x.org/n').value > 2", "extension('http://x.org/n').value.ofType(integer) <= 3", "name.count() = 2", "1 < name.count()",
            "name.given.all($this.startsWith('B'))", "name.family.startsWith('A')", "gender.endsWith('le')", "gender.contains('al')", "gender.matches('^m.*e$')",
            "gender in ('female' | 'male')", "birthDate.extension('http://x.org/time').value > @1970-01-01T09:00Z", "name.select(given).exists()",
            "contact.where(period.start < period.end).exists()", "contact.all(period.start < period.end)", "birthDate.id = 'b'",
            "extension('http://x.org/q').value > 4 'mg'", "extension('http://x.org/q').value.value >= 5.0", "name.given.extension('http://x.org/g').exists()",
        ] {
            assert_eq!(holds(patient, expression), Ok(true), "{expression}");
        }
        for expression in ["active", "gender = 'female'", "deceased", "Observation.status", "extension('http://x.org/m')", "extension('http://x.org/n').value = 4", "photo.exists()", "{}", "birthDate > @1970", "birthDate < @1970-01-01", "name.count() > 2", "name.family.startsWith('B')",
            "extension('http://x.org/q').value > 4 'g'", "extension('http://x.org/q').value > 5 'mg'", "gender in ('x' | 'y')", "name.all(given.exists())",
            "birthDate = @1970-01", "birthDate.extension('http://x.org/other').exists()", "gender > 3", "gender.matches('^a')"] {
            assert_eq!(holds(patient, expression), Ok(false), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_compiled_is_refused_with_its_place() {
        use crate::index::query::ErrorKind::{Invalid, NotSupported};
        let patient = r#"{"resourceType":"Patient"}"#;
        for (expression, kind) in [("gender =", Invalid), ("nothing.here", Invalid), ("name.family.replace('a', 'b')", NotSupported), ("now()", NotSupported), ("gender.matches('(')", Invalid), ("gender.matches('(a{1000}){1000}')", Invalid),
            ("name.count()", NotSupported), ("birthDate > 3 days", NotSupported), ("", Invalid)] {
            let error = holds(patient, expression).unwrap_err();
            assert_eq!(error.kind, kind, "{expression}");
            assert!(error.message.contains("at offset"), "{}", error.message);
        }
        assert_eq!(holds(r#"{"a":1}"#, "gender ="), Ok(false));
    }
}
