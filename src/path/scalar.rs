//! Values of FHIRPath as values of SQL.

use super::eval::{Static, System};
use crate::model::{self, Kind, TypeId};

/// A type of SQL in which a value of FHIRPath can be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Scalar {
    Boolean,
    Integer,
    Bigint,
    Numeric,
    Date,
    Timestamp,
    Time,
    #[default]
    Text,
    /// What has parts.
    Json,
}

impl Scalar {
    /// Of values of a FHIR type.
    pub fn of_type(ty: TypeId) -> Scalar {
        match System::of(ty) {
            _ if ty.get().kind != Kind::Primitive => Scalar::Json,
            Some(system) => Scalar::of_system(system),
            None if ty == model::ELEMENT => Scalar::Json,
            None => Scalar::Text,
        }
    }

    /// Of values of a System type.
    pub fn of_system(system: System) -> Scalar {
        match system {
            System::Boolean => Scalar::Boolean,
            System::Integer => Scalar::Integer,
            System::Decimal => Scalar::Numeric,
            System::Date => Scalar::Date,
            System::DateTime => Scalar::Timestamp,
            System::Time => Scalar::Time,
            System::String | System::Any => Scalar::Text,
            System::Quantity => Scalar::Json,
        }
    }

    /// Of the tag `ansi/type`: <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html#type-hinting-with-tags>
    pub fn of_ansi(text: &str) -> Option<Scalar> {
        let upper = text.trim().to_ascii_uppercase();
        let (name, rest) = upper.find('(').map_or((upper.as_str(), ""), |at| upper.split_at(at));
        let zoned = rest.contains("TIME ZONE") || name.contains("TIME ZONE");
        Some(match name.trim().split(" WITH").next().unwrap_or("").trim() {
            "BOOLEAN" => Scalar::Boolean,
            "INTEGER" | "INT" | "SMALLINT" => Scalar::Integer,
            "BIGINT" => Scalar::Bigint,
            "DECIMAL" | "DEC" | "NUMERIC" | "FLOAT" | "REAL" | "DOUBLE PRECISION" => Scalar::Numeric,
            "DATE" => Scalar::Date,
            "TIMESTAMP" => Scalar::Timestamp,
            "TIME" if !zoned => Scalar::Time,
            "CHARACTER" | "CHAR" | "CHARACTER VARYING" | "CHAR VARYING" | "VARCHAR" | "CHARACTER LARGE OBJECT" | "CLOB" | "TEXT" => Scalar::Text,
            _ => return None,
        })
    }

    /// The name of the type.
    pub fn sql(self) -> &'static str {
        match self {
            Scalar::Boolean => "boolean",
            Scalar::Integer => "integer",
            Scalar::Bigint => "bigint",
            Scalar::Numeric => "numeric",
            Scalar::Date => "date",
            Scalar::Timestamp => "timestamptz",
            Scalar::Time => "time",
            Scalar::Text => "text",
            Scalar::Json => "jsonb",
        }
    }

    /// Whether values of what a path gives can be shown in it at all.
    pub fn takes(self, gives: Static) -> bool {
        use System::*;
        let one_of = |systems: &[System]| systems.iter().any(|system| gives.may_be(*system));
        match self {
            Scalar::Boolean => one_of(&[Boolean]),
            Scalar::Integer | Scalar::Bigint => one_of(&[Integer]),
            Scalar::Numeric => one_of(&[Integer, Decimal, Quantity]),
            Scalar::Date | Scalar::Timestamp => one_of(&[Date, DateTime]),
            Scalar::Time => one_of(&[Time]),
            Scalar::Text | Scalar::Json => true,
        }
    }
}
