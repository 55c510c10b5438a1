//! Records of a lexicon → one flat value that [`super::Image`] reads in place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::hash;
use super::image::{CASE_SENSITIVE, FORMAT, HEADER, MAGIC, NOT_IN_RESEARCH, RESEARCH, SECTIONS};
use super::source::{BadLine, Record, TermKind, read};
use crate::nlp::entity::{Category, Kind};
use crate::nlp::token::{self, Class, Token};

/// Why records cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    Line(BadLine),
    /// a term or a mapping stands before any concept
    NoConcept,
    /// compressed text is damaged
    Unreadable,
    /// more than 4 GB of text, 4 billion nodes or 65,535 code systems
    TooLarge,
}

impl From<BadLine> for CompileError {
    fn from(line: BadLine) -> Self {
        CompileError::Line(line)
    }
}

/// Longest term, in words; a longer one is left out.
const LONGEST_TERM: usize = 24;

struct Concept {
    category: Category,
    kind: Kind,
    system: u32,
    code: (u32, u32),
    display: (u32, u32),
    mappings: Vec<(u32, String)>,
}

/// The flags of a term, as [`source`](super::source) has them.
struct Flags {
    case_sensitive: bool,
    research: bool,
    stop: bool,
}

struct Output {
    node: u32,
    concept: u32,
    term: TermKind,
    case_sensitive: bool,
    research: bool,
    not_in_research: bool,
    surface: (u32, u32),
}

/// Gathers records and makes a value of them.
#[derive(Default)]
pub struct Compiler {
    words: HashMap<Box<[u8]>, u32>,
    word_list: Vec<Box<[u8]>>,
    /// `node << 32 | word` → child; node 0 is the begin
    edges: HashMap<u64, u32>,
    nodes: u32,
    outputs: Vec<Output>,
    stops: HashMap<(u32, u32), ()>,
    concepts: Vec<Concept>,
    by_code: HashMap<(u32, Box<str>), u32>,
    systems: Vec<(u32, u32)>,
    by_system: HashMap<Box<str>, u32>,
    text: Vec<u8>,
    sources: String,
    lists: Vec<(String, String)>,
    current: Option<u32>,
    tokens: Vec<Token>,
}

impl Compiler {
    pub fn new() -> Compiler {
        Compiler::default()
    }

    /// Adds all records of a text in the form that [`super::source`] describes.
    pub fn add_text(&mut self, text: &str) -> Result<(), CompileError> {
        let mut failed = None;
        read(text, |record| {
            if failed.is_none()
                && let Err(error) = self.add(record)
            {
                failed = Some(error);
            }
        })?;
        self.current = None;
        failed.map_or(Ok(()), Err)
    }

    /// Adds a record. A concept that is there already stays as it is and gets further terms; a list that is there is made longer.
    pub fn add(&mut self, record: Record<'_>) -> Result<(), CompileError> {
        match record {
            Record::Source { name, version, licence, url } => {
                for field in [name, version, licence] {
                    self.sources.push_str(field);
                    self.sources.push('\t');
                }
                self.sources.push_str(url);
                self.sources.push('\n');
                self.current = None;
            }
            Record::Concept { system, code, category, kind, display } => {
                let concept = self.concept(system, code, category, kind, display)?;
                self.current = Some(concept);
            }
            Record::Term { kind, case_sensitive, research, stop, text } => {
                let concept = self.current.ok_or(CompileError::NoConcept)?;
                let flags = Flags { case_sensitive, research, stop };
                self.term(concept, kind, flags, text)?;
            }
            Record::Mapping { system, code } => {
                let concept = self.current.ok_or(CompileError::NoConcept)?;
                let system = self.system(system)?;
                if let Some(concept) = self.concepts.get_mut(concept as usize)
                    && !concept.mappings.iter().any(|(s, c)| *s == system && c == code)
                {
                    concept.mappings.push((system, code.to_owned()));
                }
            }
            Record::List { name, text } => match self.lists.iter_mut().find(|(n, _)| n == name) {
                Some((_, known)) => known.push_str(text),
                None => self.lists.push((name.to_owned(), text.to_owned())),
            },
        }
        Ok(())
    }

    fn store(&mut self, text: &str) -> Result<(u32, u32), CompileError> {
        let begin = u32::try_from(self.text.len()).map_err(|_| CompileError::TooLarge)?;
        self.text.extend_from_slice(text.as_bytes());
        Ok((begin, text.len() as u32))
    }

    fn system(&mut self, url: &str) -> Result<u32, CompileError> {
        if let Some(&known) = self.by_system.get(url) {
            return Ok(known);
        }
        let number = self.systems.len() as u32;
        if number > u32::from(u16::MAX) {
            return Err(CompileError::TooLarge);
        }
        let place = self.store(url)?;
        self.systems.push(place);
        self.by_system.insert(url.into(), number);
        Ok(number)
    }

    fn concept(&mut self, system: &str, code: &str, category: Category, kind: Kind, display: &str) -> Result<u32, CompileError> {
        let code = &code[..token::boundary(code, 255)];
        let display = &display[..token::boundary(display, 4096)];
        let system = self.system(system)?;
        // without a code, the display is what tells meanings apart
        let key = if code.is_empty() { format!("\0{display}") } else { code.to_owned() };
        let key = (system, key.into_boxed_str());
        if let Some(&known) = self.by_code.get(&key) {
            return Ok(known);
        }
        let number = u32::try_from(self.concepts.len()).map_err(|_| CompileError::TooLarge)?;
        let code = self.store(code)?;
        let display = self.store(display)?;
        self.concepts.push(Concept { category, kind, system, code, display, mappings: Vec::new() });
        self.by_code.insert(key, number);
        Ok(number)
    }

    /// The words of a term by which it is found: no hyphens, slashes or ends of lines.
    fn key(&mut self, text: &str) -> Option<Vec<u32>> {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.clear();
        let (words, word_list) = (&mut self.words, &mut self.word_list);
        token::tokens(text, 0, text.len(), &mut tokens, |form| match words.entry(form.into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let id = word_list.len() as u32;
                word_list.push(new.key().clone());
                new.insert(id);
                id
            }
        });
        let key: Vec<u32> = tokens.iter().filter(|t| !super::walk::is_joint(t)).map(|t| t.id).collect();
        let usable = !key.is_empty()
            && key.len() <= LONGEST_TERM
            && !key.contains(&token::UNKNOWN)
            && tokens.iter().any(|t| t.class == Class::Word);
        self.tokens = tokens;
        usable.then_some(key)
    }

    fn node(&mut self, key: &[u32], make: bool) -> Result<Option<u32>, CompileError> {
        let mut node = 0;
        for &word in key {
            match self.edges.entry(u64::from(node) << 32 | u64::from(word)) {
                Entry::Occupied(child) => node = *child.get(),
                Entry::Vacant(place) if make => {
                    self.nodes = self.nodes.checked_add(1).ok_or(CompileError::TooLarge)?;
                    node = *place.insert(self.nodes);
                }
                Entry::Vacant(_) => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    fn term(&mut self, concept: u32, term: TermKind, flags: Flags, text: &str) -> Result<(), CompileError> {
        let Some(key) = self.key(text) else { return Ok(()) };
        let Some(node) = self.node(&key, true)? else { return Ok(()) };
        if flags.stop {
            self.stops.insert((node, concept), ());
            return Ok(());
        }
        let surface = if flags.case_sensitive { self.store(text)? } else { (0, 0) };
        self.outputs.push(Output { node, concept, term, case_sensitive: flags.case_sensitive, research: flags.research, not_in_research: false, surface });
        Ok(())
    }

    /// `stop` list: term, tab, category or `*`: no finding of that category, though longer terms that begin with it are. With
    /// `research` behind another tab it is none in texts about research only.
    fn stop(&mut self) -> Result<(), CompileError> {
        let lines = self.lists.iter().filter(|(name, _)| name == "stop").map(|(_, text)| text.clone()).collect::<String>();
        let mut stopped: HashMap<u32, Vec<(&str, bool)>> = HashMap::new();
        for line in lines.lines().filter(|l| !l.starts_with('#')) {
            let (term, rest) = line.split_once('\t').unwrap_or((line, "*"));
            let (category, place) = rest.split_once('\t').unwrap_or((rest, ""));
            if let Some(key) = self.key(term)
                && let Some(node) = self.node(&key, false)?
            {
                stopped.entry(node).or_default().push((category, place == "research"));
            }
        }
        let concepts = &self.concepts;
        let stops = &self.stops;
        self.outputs.retain_mut(|output| {
            let category = concepts[output.concept as usize].category.name();
            let mut by_list = false;
            for (stop, research) in stopped.get(&output.node).into_iter().flatten() {
                if *stop == "*" || *stop == category {
                    if *research {
                        output.not_in_research = true;
                    } else {
                        by_list = true;
                    }
                }
            }
            !by_list && !stops.contains_key(&(output.node, output.concept))
        });
        Ok(())
    }

    /// `abbreviations` list: short form, what it stands for, category, kind, and flags (`c`: only as it is written), with tabs
    /// between. A short form gets all meanings that its expansion has; if it has none, one without a code.
    fn abbreviations(&mut self) -> Result<(), CompileError> {
        let lines = self.lists.iter().filter(|(name, _)| name == "abbreviations").map(|(_, text)| text.clone()).collect::<String>();
        let mut meanings: HashMap<u32, Vec<usize>> = HashMap::new();
        for (number, output) in self.outputs.iter().enumerate() {
            meanings.entry(output.node).or_default().push(number);
        }
        for line in lines.lines().filter(|l| !l.starts_with('#')) {
            let mut fields = line.split('\t');
            let (Some(short), Some(long)) = (fields.next(), fields.next()) else { continue };
            let (category, kind) = (fields.next().and_then(Category::from_name), fields.next().and_then(Kind::from_name));
            let (Some(category), Some(kind)) = (category, kind) else { continue };
            let flags = fields.next().unwrap_or("");
            let (case_sensitive, research) = (flags.contains('c'), flags.contains('r'));
            let mut concepts = Vec::new();
            if let Some(key) = self.key(long)
                && let Some(node) = self.node(&key, false)?
            {
                for &output in meanings.get(&node).into_iter().flatten() {
                    let concept = self.outputs[output].concept;
                    if self.concepts[concept as usize].category == category && !concepts.contains(&concept) {
                        concepts.push(concept);
                    }
                }
            }
            if concepts.is_empty() {
                concepts.push(self.concept("", "", category, kind, long)?);
            }
            for concept in concepts {
                self.term(concept, TermKind::Abbreviation, Flags { case_sensitive, research, stop: false }, short)?;
            }
        }
        Ok(())
    }

    /// A list `drug-names` of all names of drugs that are one word, for misspelled ones.
    fn drug_names(&mut self) {
        let concepts = &self.concepts;
        let drugs: std::collections::HashSet<u32> = self
            .outputs
            .iter()
            .filter(|o| {
                let kind = concepts.get(o.concept as usize).map(|c| c.kind);
                matches!(kind, Some(Kind::GenericName | Kind::BrandName)) && !(o.case_sensitive && o.surface.1 < 6)
            })
            .map(|o| o.node)
            .collect();
        let words = &self.word_list;
        let mut names: Vec<&str> = self
            .edges
            .iter()
            .filter(|(key, node)| **key >> 32 == 0 && drugs.contains(node))
            .filter_map(|(key, _)| std::str::from_utf8(words.get(*key as usize)?).ok())
            .filter(|word| (5..=24).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()))
            .collect();
        names.sort_unstable();
        let list = names.join("\n");
        self.lists.retain(|(name, _)| name != "drug-names");
        self.lists.push(("drug-names".to_owned(), list));
    }

    /// `words` list: its words are in the vocabulary, so that rules find them by their ids.
    fn know_words(&mut self) {
        let lines = self.lists.iter().filter(|(name, _)| name == "words").map(|(_, text)| text.clone()).collect::<String>();
        for line in lines.lines().filter(|l| !l.starts_with('#')) {
            let mut fields = line.split('\t');
            if let Some(word) = fields.next() {
                let _ = self.key(word);
            }
            if let Some(noun) = fields.nth(1) {
                let _ = self.key(noun);
            }
        }
    }

    /// The value; `version` is what findings name as their lexicon.
    pub fn finish(mut self, version: &str) -> Result<Vec<u8>, CompileError> {
        self.abbreviations()?;
        self.stop()?;
        self.know_words();
        self.drug_names();
        self.outputs.sort_by_key(|o| (o.node, o.concept, o.research, o.case_sensitive, o.term as u8));
        let strings = &self.text;
        let surface = |o: &Output| strings.get(o.surface.0 as usize..(o.surface.0 + o.surface.1) as usize);
        // n/v and N/V both stay; what is allowed as it is, or in any text, makes narrower ones superfluous
        self.outputs.dedup_by(|later, first| {
            let same = (later.node, later.concept) == (first.node, first.concept);
            same && (!first.case_sensitive || surface(first) == surface(later)) && (!first.research || later.research)
        });

        let mut sections: [Vec<u8>; SECTIONS] = Default::default();
        let [s_version, s_sources, s_lists, s_words, s_starts, s_text, s_roots, s_edges, s_nodes, s_outputs, s_concepts, s_maps, s_systems, s_strings] =
            &mut sections;
        s_version.extend_from_slice(version.as_bytes());
        s_sources.extend_from_slice(self.sources.as_bytes());
        for (name, text) in &self.lists {
            s_lists.extend_from_slice(format!("{name}\t{}\n{text}", text.len()).as_bytes());
        }

        let slots = (self.word_list.len() * 2).next_power_of_two().max(2);
        let mut table = vec![(0u32, 0u32); slots];
        for (id, word) in self.word_list.iter().enumerate() {
            let hash = hash::word(word);
            let mut slot = hash as usize & (slots - 1);
            while table[slot].1 != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            table[slot] = ((hash >> 32) as u32, id as u32 + 1);
            push(s_starts, s_text.len() as u32);
            s_text.extend_from_slice(word);
            push(s_roots, self.edges.get(&(id as u64)).copied().unwrap_or(0));
        }
        push(s_starts, s_text.len() as u32);
        for (tag, id) in table {
            push(s_words, tag);
            push(s_words, id);
        }

        let mut inner: Vec<(u32, u32, u32)> =
            self.edges.iter().filter(|(key, _)| **key >> 32 != 0).map(|(key, child)| ((key >> 32) as u32, *key as u32, *child)).collect();
        inner.sort_unstable(); // so that the same records give the same bytes
        let slots = (inner.len() * 2).next_power_of_two().max(2);
        let mut table = vec![(0u32, 0u32, 0u32); slots];
        for edge in inner {
            let mut slot = hash::edge(edge.0, edge.1) as usize & (slots - 1);
            while table[slot].2 != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            table[slot] = edge;
        }
        for (node, word, child) in table {
            push(s_edges, node);
            push(s_edges, word);
            push(s_edges, child);
        }

        let mut output = 0;
        for node in 0..=self.nodes {
            push(s_nodes, output as u32);
            while self.outputs.get(output).is_some_and(|o| o.node == node) {
                let o = &self.outputs[output];
                push(s_outputs, o.concept);
                push(
                    s_outputs,
                    o.term as u32
                        | if o.case_sensitive { CASE_SENSITIVE } else { 0 }
                        | if o.not_in_research { NOT_IN_RESEARCH } else { 0 }
                        | if o.research { RESEARCH } else { 0 },
                );
                push(s_outputs, o.surface.0);
                push(s_outputs, o.surface.1);
                output += 1;
            }
        }
        push(s_nodes, output as u32);

        // A mapping to a concept that no source describes makes one without a display.
        for number in 0..self.concepts.len() {
            let (category, kind) = (self.concepts[number].category, self.concepts[number].kind);
            for (system, code) in std::mem::take(&mut self.concepts[number].mappings) {
                let key = (system, code.as_str().into());
                let target = match self.by_code.get(&key) {
                    Some(&known) => known,
                    None => {
                        let target = self.concepts.len() as u32;
                        let place = self.store(&code)?;
                        self.concepts.push(Concept { category, kind, system, code: place, display: (0, 0), mappings: Vec::new() });
                        self.by_code.insert(key, target);
                        target
                    }
                };
                self.concepts[number].mappings.push((target, String::new()));
            }
        }
        for concept in &self.concepts {
            push(s_concepts, concept.category as u32 | (concept.kind as u32) << 8 | concept.system << 16);
            push(s_concepts, concept.code.0);
            push(s_concepts, concept.code.1 | concept.display.1 << 8);
            push(s_concepts, concept.display.0);
            push(s_concepts, (s_maps.len() / 4) as u32);
            push(s_concepts, concept.mappings.len() as u32);
            push(s_concepts, 0);
            for (target, _) in &concept.mappings {
                push(s_maps, *target);
            }
        }
        for (begin, length) in &self.systems {
            push(s_systems, *begin);
            push(s_systems, *length);
        }
        *s_strings = self.text;

        let mut value = Vec::with_capacity(HEADER + sections.iter().map(|s| s.len() + 8).sum::<usize>());
        value.extend_from_slice(MAGIC);
        push(&mut value, FORMAT);
        push(&mut value, 0);
        value.resize(HEADER, 0);
        for (number, section) in sections.iter().enumerate() {
            value.resize(value.len().next_multiple_of(8), 0);
            let at = 24 + number * 16;
            let begin = value.len() as u64;
            value[at..at + 8].copy_from_slice(&begin.to_le_bytes());
            value[at + 8..at + 16].copy_from_slice(&(section.len() as u64).to_le_bytes());
            value.extend_from_slice(section);
        }
        let sum = hash::checksum(&value[24..]);
        value[16..24].copy_from_slice(&sum.to_le_bytes());
        Ok(value)
    }
}

fn push(section: &mut Vec<u8>, number: u32) {
    section.extend_from_slice(&number.to_le_bytes());
}
