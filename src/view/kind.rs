//! The types of columns.

use crate::model::{Kind, TypeId, type_named};
use crate::path::eval::{Static, System};
use crate::path::scalar::Scalar;

/// What a definition says of a column's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ColumnType {
    pub scalar: Scalar,
    /// The FHIR type, where it is one.
    pub fhir: Option<TypeId>,
}

impl ColumnType {
    /// Of the name of a FHIR type, or of its address.
    pub fn of_fhir(name: &str) -> Option<ColumnType> {
        let name = name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(name);
        // of R5, which SQL on FHIR knows
        if name == "integer64" {
            return Some(ColumnType { scalar: Scalar::Bigint, fhir: None });
        }
        let system = name.strip_prefix("http://hl7.org/fhirpath/System.").or_else(|| name.strip_prefix("System."));
        if let Some(system) = system.and_then(System::named) {
            return Some(ColumnType { scalar: Scalar::of_system(system), fhir: None });
        }
        let ty = type_named(name).filter(|ty| matches!(ty.get().kind, Kind::Primitive | Kind::Complex | Kind::Backbone | Kind::Resource))?;
        Some(ColumnType { scalar: Scalar::of_type(ty), fhir: Some(ty) })
    }

    /// Of what a path gives, where the definition says nothing.
    pub fn of_path(gives: Static) -> ColumnType {
        match gives {
            Static::Fhir(ty) => ColumnType { scalar: Scalar::of_type(ty), fhir: Some(ty) },
            Static::System(system) => ColumnType { scalar: Scalar::of_system(system), fhir: None },
            Static::Choice(..) | Static::Unknown => ColumnType::default(),
        }
    }
}
