//! Places within a distance: `near=latitude|longitude|distance|units`.
//!
//! <https://hl7.org/fhir/R4/location.html#positional>: decimal degrees of the WGS84 datum; without units, kilometres; without a
//! distance, what the server takes as near. Distances are those of great circles on a sphere, at most 0.6 % off on earth.

use super::operand::number_of;
use super::query::{Argument, Result, Test, invalid, shown, split_unescaped, unescape};
use super::ucum;
use crate::json::Node;
use crate::model::TypeId;

/// Taken where no distance is given, in metres.
pub const DEFAULT_DISTANCE: f64 = 10_000.0;
/// The mean radius of the earth in metres (IUGG).
const RADIUS: f64 = 6_371_008.8;

/// A place on earth, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Position {
    pub latitude: f64,
    pub longitude: f64,
}

/// Whether an element of that type tells a place.
pub fn is_position(ty: TypeId) -> bool {
    ["latitude", "longitude"].iter().all(|name| ty.get().field(name).is_some())
}

impl Position {
    pub fn new(latitude: f64, longitude: f64) -> Option<Position> {
        let position = Position { latitude, longitude };
        position.is_sound().then_some(position)
    }

    pub fn is_sound(self) -> bool {
        (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude)
    }

    /// That of an element with both properties.
    pub fn of(node: Node) -> Option<Position> {
        let number = |name| match node.get(name)? {
            Node::Number(n) => n.to_decimal_string().parse::<f64>().ok(),
            _ => None,
        };
        Position::new(number("latitude")?, number("longitude")?)
    }

    /// Metres to the other place (haversine).
    pub fn distance(self, other: Position) -> f64 {
        let half_chord = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
        let h = half_chord(self.latitude, other.latitude)
            + self.latitude.to_radians().cos() * other.latitude.to_radians().cos() * half_chord(self.longitude, other.longitude);
        2.0 * RADIUS * h.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// The grids that places are indexed by: cells of a degree and of a tenth.
pub const GRIDS: [f64; 2] = [1.0, 0.1];
/// No more cells are looked up; beyond that a coarser grid must do, and at last all places.
const MAX_CELLS: i64 = 400;

/// Row and column of a cell.
pub type Cell = (u16, u16);

/// The cell of a place in a grid.
pub fn cell(position: Position, grid: usize) -> Cell {
    let (row, column) = place(position.latitude, position.longitude, GRIDS[grid]);
    (row as u16, column.rem_euclid(columns(GRIDS[grid])) as u16)
}

fn place(latitude: f64, longitude: f64, size: f64) -> (i64, i64) {
    (((latitude + 90.0) / size).floor() as i64, ((longitude + 180.0) / size).floor() as i64)
}

fn columns(size: f64) -> i64 {
    (360.0 / size).round() as i64
}

/// The grid and those of its cells that hold all places within the distance; `None` where they would be too many.
pub fn cover(center: Position, distance: f64) -> Option<(usize, Vec<Cell>)> {
    // wider than it must be, so that rounding never cuts anything off
    let angle = (distance / RADIUS * 1.000_001 + 1e-9).min(std::f64::consts::PI);
    let (south, north) = (center.latitude - angle.to_degrees(), center.latitude + angle.to_degrees());
    let west_east = angle.sin() / center.latitude.to_radians().cos();
    let around_pole = south <= -90.0 || north >= 90.0 || west_east >= 1.0;
    let reach = if around_pole { 180.0 } else { west_east.asin().to_degrees() + 1e-7 };
    for (grid, size) in GRIDS.into_iter().enumerate().rev() {
        let (bottom, left) = place(south.max(-90.0), center.longitude - reach, size);
        let (top, right) = place(north.min(90.0), center.longitude + reach, size);
        let width = (right - left + 1).min(columns(size));
        if (top - bottom + 1) * width <= MAX_CELLS {
            let rows = bottom..=top;
            let cells = rows.flat_map(|row| (left..left + width).map(move |column| (row as u16, column.rem_euclid(columns(size)) as u16)));
            return Some((grid, cells.collect()));
        }
    }
    None
}

/// Reads one alternative of the parameter.
pub fn test(argument: &Argument, value: &str) -> Result<Test> {
    let wrong = || {
        invalid(
            format!("\"{}\" is no place for parameter \"{}\"", shown(value), shown(&argument.name)),
            "write latitude|longitude|distance|units, in degrees and km, as in 42.25|-83.69|11.20|km; distance and units may be left out",
        )
    };
    let parts: Vec<String> = split_unescaped(value, '|').into_iter().map(unescape).collect();
    let part = |n: usize| parts.get(n).map(String::as_str).filter(|part| !part.is_empty());
    if !(2..=4).contains(&parts.len()) {
        return wrong();
    }
    let (Some(Some(latitude)), Some(Some(longitude))) = (part(0).map(number_of), part(1).map(number_of)) else { return wrong() };
    let Some(center) = Position::new(latitude, longitude) else { return wrong() };
    let metres = match part(2) {
        None if part(3).is_some() => return wrong(),
        None => DEFAULT_DISTANCE,
        Some(distance) => match (number_of(distance), part(3).map_or(Some(1_000.0), metres_of)) {
            (Some(distance), Some(unit)) if distance >= 0.0 && (distance * unit).is_finite() => distance * unit,
            (Some(_), None) => {
                return invalid(format!("unit \"{}\" is no length", shown(&parts[3])), "use km, m, [mi_us], [mi_i] or another length of UCUM");
            }
            _ => return wrong(),
        },
    };
    Ok(Test::Near { center, metres })
}

/// Metres in a unit of UCUM, whose customary ones may be written without their brackets.
fn metres_of(unit: &str) -> Option<f64> {
    let known = |code: &str| ucum::unit(Some(ucum::SYSTEM), Some(code)).filter(|unit| unit.measure == "m").map(|unit| unit.factor());
    known(unit).or_else(|| known(&format!("[{unit}]"))).or_else(|| known(&format!("[{unit}_i]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_great_circles() {
        let at = |latitude, longitude| Position::new(latitude, longitude).unwrap();
        let km = |a: Position, b: Position| (a.distance(b) / 1000.0).round();
        assert_eq!(km(at(51.5074, -0.1278), at(48.8566, 2.3522)), 344.0); // London to Paris
        assert_eq!(km(at(40.7128, -74.0060), at(34.0522, -118.2437)), 3936.0); // New York to Los Angeles
        assert_eq!(km(at(0.0, 179.5), at(0.0, -179.5)), 111.0); // over the date line
        assert_eq!(km(at(90.0, 0.0), at(-90.0, 77.0)), 20015.0);
        assert_eq!(at(10.0, 10.0).distance(at(10.0, 10.0)), 0.0);
        assert_eq!(Position::new(90.1, 0.0), None);
        assert_eq!(Position::new(f64::NAN, 0.0), None);
    }

    #[test]
    fn a_cover_holds_every_place_within_the_distance() {
        let (mut seed, mut checked) = (1u64, 0);
        let mut random = |from: f64, to: f64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            from + (seed >> 11) as f64 / (1u64 << 53) as f64 * (to - from)
        };
        for _ in 0..20_000 {
            let latitude: f64 = random(-100.0, 100.0);
            let center = Position::new(latitude.clamp(-90.0, 90.0), random(-180.0, 180.0)).unwrap();
            let metres = 10f64.powf(random(0.0, 7.5));
            let reach = metres / 100_000.0;
            let other = (center.latitude + random(-reach, reach), center.longitude + random(-4.0 * reach, 4.0 * reach));
            let Some(other) = Position::new(other.0, (other.1 + 180.0).rem_euclid(360.0) - 180.0) else { continue };
            let Some((grid, cells)) = cover(center, metres) else { continue };
            if center.distance(other) <= metres {
                checked += 1;
                assert!(cells.contains(&cell(other, grid)), "{center:?} {metres} {other:?}");
            }
        }
        assert!(checked > 2_000, "{checked}");
        assert_eq!(cover(Position { latitude: 42.0, longitude: -83.0 }, 1e7), None);
    }
}
