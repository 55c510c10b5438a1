//! The rows that a select makes of a resource: <https://sql-on-fhir.org/ig/2.0.0/StructureDefinition-ViewDefinition.html#processing-algorithm>
//!
//! Selects side by side multiply, so rows are made one by one and none is kept: what is still to do is a list on the stack.

use super::constant::ROW_INDEX;
use super::definition::{Column, Each, Path, Select};
use super::error::ViewError;
use super::kind::ColumnType;
use crate::path::eval::{EvaluationError, Item, Problem, Program, Scope, Stack, Static, System};
use std::ops::{ControlFlow, Range};

/// Selects, compiled for resources of one type.
#[derive(Debug)]
pub struct Rows {
    parts: Vec<Part>,
    columns: Vec<Shown>,
}

/// A column of the result.
#[derive(Debug)]
pub struct Shown {
    pub name: String,
    pub ty: ColumnType,
    pub collection: bool,
    /// Where the path stands in the definition.
    pub at: String,
}

#[derive(Debug)]
struct Part {
    each: Option<Source>,
    cells: Vec<Maker>,
    parts: Vec<Part>,
    unions: Vec<Part>,
    /// The columns of it and of all within.
    span: Range<usize>,
    /// Where it stands in the definition.
    at: String,
}

#[derive(Debug)]
enum Source {
    Each(Program),
    OrNull(Program),
    Repeat(Vec<Program>),
}

/// What makes one column.
#[derive(Debug)]
struct Maker {
    column: usize,
    program: Program,
    collection: bool,
    is_row_index: bool,
    at: String,
}

/// What a column has in a row.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    One(Option<Item<'a>>),
    Many(Vec<Item<'a>>),
}

/// Why there are no further rows.
#[derive(Debug)]
pub struct RowError {
    /// Where in the definition.
    pub at: String,
    pub error: EvaluationError,
}

impl Rows {
    /// Compiles selects for a focus.
    pub fn compile(selects: &[Select], focus: Static) -> Result<Rows, ViewError> {
        let mut columns = Vec::new();
        let parts = parts(selects, focus, &mut 0, &mut columns)?;
        Ok(Rows { parts, columns })
    }

    pub fn columns(&self) -> &[Shown] {
        &self.columns
    }

    /// Gives rows one by one until `f` says stop. The scope's `constants` are replaced.
    pub fn each<'a>(
        &'a self,
        focus: Item<'a>,
        scope: &Scope<'a, '_>,
        f: &mut dyn FnMut(&[Cell<'a>]) -> ControlFlow<()>,
    ) -> Result<(), RowError> {
        let mut making = Making { scope, stack: Stack::here(), row: vec![Cell::One(None); self.columns.len()], made: 0, f };
        let focus = Focus { item: Some(focus), index: 0 };
        let todo = Todo::Within { parts: &self.parts, unions: &[], focus: &focus, rest: &Todo::Done };
        match making.go_on(&todo) {
            Ok(()) | Err(Ended::Enough) => Ok(()),
            Err(Ended::Failed(error)) => Err(*error),
        }
    }
}

/// Compiles selects, whose columns are numbered from `next`.
fn parts(selects: &[Select], focus: Static, next: &mut usize, columns: &mut Vec<Shown>) -> Result<Vec<Part>, ViewError> {
    selects.iter().map(|select| part(select, focus, next, columns)).collect()
}

fn part(select: &Select, focus: Static, next: &mut usize, columns: &mut Vec<Shown>) -> Result<Part, ViewError> {
    let begin = *next;
    let (each, focus) = match &select.each {
        None => (None, focus),
        Some(Each::ForEach(path)) => source(path, focus, Source::Each)?,
        Some(Each::ForEachOrNull(path)) => source(path, focus, Source::OrNull)?,
        Some(Each::Repeat(paths)) => repeat(paths, focus)?,
    };
    let mut cells = Vec::new();
    for column in &select.columns {
        let program = compile(&column.path, focus)?;
        let ty = shown_as(column, &program)?;
        if *next == columns.len() {
            columns.push(Shown { name: column.name.clone(), ty, collection: column.collection, at: column.path.at.clone() });
        } else if let Some(first) = columns.get(*next).filter(|first| first.ty.scalar != ty.scalar) {
            let problem = format!("is {} here and {} in the first part of the union", ty.scalar.sql(), first.ty.scalar.sql());
            return Err(ViewError::new(&column.path.at, problem).hint("give both columns the same type"));
        }
        let is_row_index = program.constants().iter().any(|name| name == ROW_INDEX);
        cells.push(Maker { column: *next, program, collection: column.collection, is_row_index, at: column.path.at.clone() });
        *next += 1;
    }
    let within = parts(&select.selects, focus, next, columns)?;
    let (first, mut last) = (*next, *next);
    let mut unions = Vec::new();
    for select in &select.unions {
        last = first;
        unions.push(part(select, focus, &mut last, columns)?);
    }
    *next = last;
    Ok(Part { each, cells, parts: within, unions, span: begin..*next, at: select.at.clone() })
}

fn source(path: &Path, focus: Static, kind: fn(Program) -> Source) -> Result<(Option<Source>, Static), ViewError> {
    let program = compile(path, focus)?;
    let gives = program.gives();
    Ok((Some(kind(program)), gives))
}

/// Each path must make sense of the focus, or of what the paths lead to.
fn repeat(paths: &[Path], focus: Static) -> Result<(Option<Source>, Static), ViewError> {
    let first: Vec<Option<Static>> = paths.iter().map(|path| Program::compile_on(&path.text, focus).ok().map(|program| program.gives())).collect();
    let mut known = first.iter().flatten();
    let common = known.next().copied().filter(|ty| known.all(|other| other == ty)).unwrap_or(Static::Unknown);
    for path in paths {
        if Program::compile_on(&path.text, common).is_err() {
            compile(path, focus)?;
        }
    }
    let stays = paths.iter().all(|path| Program::compile_on(&path.text, common).map_or(true, |program| program.gives() == common));
    let programs = paths.iter().map(|path| compile(path, Static::Unknown)).collect::<Result<_, _>>()?;
    Ok((Some(Source::Repeat(programs)), if stays { common } else { Static::Unknown }))
}

/// Compiles a path; the names that it asks for must be there.
pub fn compile(path: &Path, focus: Static) -> Result<Program, ViewError> {
    let program = Program::compile_on(&path.text, focus).map_err(|error| ViewError::of_path(&path.at, &error))?;
    match program.constants().iter().find(|name| name.as_str() != ROW_INDEX) {
        Some(name) => Err(ViewError::new(&path.at, format!("unknown constant \"%{name}\"")).hint("constants stand in ViewDefinition.constant")),
        None => Ok(program),
    }
}

/// The type of a column: as declared, or as its path tells.
pub fn shown_as(column: &Column, program: &Program) -> Result<ColumnType, ViewError> {
    let is_row_index = column.path.text.trim().strip_prefix('%') == Some(ROW_INDEX);
    let gives = if is_row_index { Static::System(System::Integer) } else { program.gives() };
    let ty = column.declared.unwrap_or_else(|| ColumnType::of_path(gives));
    if ty.scalar.takes(gives) {
        return Ok(ty);
    }
    let problem = format!("what the path gives cannot be shown as {}", ty.scalar.sql());
    Err(ViewError::new(&column.path.at, problem).hint("give the column another type, or convert in the path, for instance with toString()"))
}

/// What a select looks at: nothing where `forEachOrNull` found nothing.
struct Focus<'a> {
    item: Option<Item<'a>>,
    index: usize,
}

/// What is still to be done for the row that is being made, outermost last.
enum Todo<'t, 'a> {
    Done,
    Part { part: &'a Part, focus: &'t Focus<'a>, rest: &'t Todo<'t, 'a> },
    Within { parts: &'a [Part], unions: &'a [Part], focus: &'t Focus<'a>, rest: &'t Todo<'t, 'a> },
}

enum Ended {
    Enough,
    Failed(Box<RowError>),
}

struct Making<'a, 's, 'f> {
    scope: &'s Scope<'a, 's>,
    stack: Stack,
    row: Vec<Cell<'a>>,
    made: usize,
    f: &'f mut dyn FnMut(&[Cell<'a>]) -> ControlFlow<()>,
}

fn failed(at: &str, error: EvaluationError) -> Ended {
    Ended::Failed(Box::new(RowError { at: at.to_owned(), error }))
}

fn problem(at: &str, problem: Problem) -> Ended {
    failed(at, EvaluationError { at: 0, problem })
}

impl<'a> Making<'a, '_, '_> {
    /// Recurses at most twice for each select of the definition, and where something repeats.
    fn go_on(&mut self, todo: &Todo<'_, 'a>) -> Result<(), Ended> {
        match todo {
            Todo::Done => self.finish(),
            Todo::Part { part, focus, rest } => self.part(part, focus, rest),
            Todo::Within { parts, unions, focus, rest } => match (parts.split_first(), unions.is_empty()) {
                (Some((part, parts)), _) => {
                    let rest = Todo::Within { parts, unions, focus, rest };
                    self.go_on(&Todo::Part { part, focus, rest: &rest })
                }
                (None, true) => self.go_on(rest),
                (None, false) => unions.iter().try_for_each(|part| self.go_on(&Todo::Part { part, focus, rest })),
            },
        }
    }

    /// What repeats without descending would not come to an end.
    fn deeper(&self, part: &Part) -> Result<(), Ended> {
        if self.stack.is_spent() { Err(problem(&part.at, Problem::TooDeep)) } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), Ended> {
        self.made += 1;
        if self.made.is_multiple_of(1_024) && !self.scope.services.go_on() {
            return Err(problem("ViewDefinition", Problem::Interrupted));
        }
        match (self.f)(&self.row) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Ended::Enough),
        }
    }

    fn part(&mut self, part: &'a Part, focus: &Focus<'a>, rest: &Todo<'_, 'a>) -> Result<(), Ended> {
        match &part.each {
            None => self.one(part, focus, rest),
            Some(Source::Each(program)) => self.all(part, program, focus, rest).map(drop),
            Some(Source::OrNull(program)) => {
                if self.all(part, program, focus, rest)? {
                    return Ok(());
                }
                if let Some(cells) = self.row.get_mut(part.span.clone()) {
                    cells.fill(Cell::One(None));
                }
                let nothing = Focus { item: None, index: 0 };
                for maker in part.cells.iter().filter(|maker| maker.is_row_index) {
                    self.fill(maker, &nothing)?;
                }
                self.go_on(rest)
            }
            Some(Source::Repeat(programs)) => {
                self.deeper(part)?;
                let Some(item) = &focus.item else { return Ok(()) };
                let mut index = 0;
                self.repeat(part, programs, item, &mut index, rest)
            }
        }
    }

    /// Rows for each item that a path gives; whether there were any.
    fn all(&mut self, part: &'a Part, program: &'a Program, focus: &Focus<'a>, rest: &Todo<'_, 'a>) -> Result<bool, Ended> {
        let mut next = Focus { item: None, index: 0 };
        for item in self.items(program, focus, &part.at)? {
            next.item = Some(item);
            self.one(part, &next, rest)?;
            next.index += 1;
        }
        Ok(next.index > 0)
    }

    /// Items, then what they lead to, before their neighbours.
    fn repeat(
        &mut self,
        part: &'a Part,
        programs: &'a [Program],
        item: &Item<'a>,
        index: &mut usize,
        rest: &Todo<'_, 'a>,
    ) -> Result<(), Ended> {
        self.deeper(part)?;
        let focus = Focus { item: Some(item.clone()), index: 0 };
        for program in programs {
            for item in self.items(program, &focus, &part.at)? {
                let next = Focus { item: Some(item), index: *index };
                *index += 1;
                self.one(part, &next, rest)?;
                if let Some(item) = &next.item {
                    self.repeat(part, programs, item, index, rest)?;
                }
            }
        }
        Ok(())
    }

    /// Rows for one item.
    fn one(&mut self, part: &'a Part, focus: &Focus<'a>, rest: &Todo<'_, 'a>) -> Result<(), Ended> {
        for maker in &part.cells {
            self.fill(maker, focus)?;
        }
        self.go_on(&Todo::Within { parts: &part.parts, unions: &part.unions, focus, rest })
    }

    fn fill(&mut self, maker: &'a Maker, focus: &Focus<'a>) -> Result<(), Ended> {
        let found = self.evaluate(&maker.program, focus).map_err(|error| failed(&maker.at, error))?;
        let cell = match (maker.collection, found.len()) {
            (true, _) => Cell::Many(found),
            (false, 0 | 1) => Cell::One(found.into_iter().next()),
            (false, _) => return Err(problem(&maker.at, Problem::NotSingle)),
        };
        if let Some(place) = self.row.get_mut(maker.column) {
            *place = cell;
        }
        Ok(())
    }

    fn items(&self, program: &'a Program, focus: &Focus<'a>, at: &str) -> Result<Vec<Item<'a>>, Ended> {
        self.evaluate(program, focus).map_err(|error| failed(at, error))
    }

    fn evaluate(&self, program: &'a Program, focus: &Focus<'a>) -> Result<Vec<Item<'a>>, EvaluationError> {
        let constants = [(ROW_INDEX, Item::Integer(i64::try_from(focus.index).unwrap_or(i64::MAX)))];
        let Scope { resource, root, services, limits, .. } = *self.scope;
        let scope = Scope { resource, root, constants: &constants, services, limits };
        Ok(program.evaluate(focus.item.clone(), &scope)?.into_vec())
    }
}
