//! Why there is no ready-made view.

use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadyError {
    NoType { name: String },
    NoElement { of: String, name: String },
    /// Nothing on the way to it repeats, so it has columns in the view of the type.
    NoRows { element: String },
    /// It repeats, but nothing of it lies in columns.
    NoColumns { element: String },
}

impl ReadyError {
    pub fn hint(&self) -> &'static str {
        match self {
            ReadyError::NoType { .. } => "SELECT fhir.resource_types() lists them",
            ReadyError::NoElement { .. } => "elements are named as in JSON: component, component.referenceRange, valueCodeableConcept.coding",
            ReadyError::NoRows { .. } => "it has columns in the view of its type: leave the element out",
            ReadyError::NoColumns { .. } => "write a ViewDefinition for it",
        }
    }
}

impl fmt::Display for ReadyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadyError::NoType { name } => write!(f, "\"{name}\" is no resource type of FHIR R4"),
            ReadyError::NoElement { of, name } => write!(f, "{of} has no element \"{name}\""),
            ReadyError::NoRows { element } => write!(f, "{element} does not repeat"),
            ReadyError::NoColumns { element } => write!(f, "{element} has nothing that lies in columns"),
        }
    }
}
