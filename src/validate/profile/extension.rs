//! Extensions against their definitions: <https://hl7.org/fhir/R4/extensibility.html>, <https://hl7.org/fhir/R4/defining-extensions.html>.

use super::constraint::Expression;
use super::discriminator::extension_url;
use super::inside::{self, Host};
use super::target::Place;
use super::walk::{At, Flow, GO_ON, Item, Walk, root};
use super::{Context, Profile};
use crate::json::{Node, Object};
use crate::model::{EXTENSION, is_a, type_named};
use crate::validate::{Issue, Severity};
use std::sync::Arc;

/// Where an extension may stand: <https://hl7.org/fhir/R4/defining-extensions.html#context>.
#[derive(Debug)]
pub(super) struct ExtensionContext {
    pub kind: ContextKind,
    pub expression: Box<str>,
    pub program: Option<Expression>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ContextKind {
    Element,
    Extension,
    FhirPath,
}

impl ExtensionContext {
    pub fn read(node: Node<'_>) -> Option<ExtensionContext> {
        let text = |name: &str| node.get(name).and_then(Node::as_str);
        let kind = match text("type")? {
            "element" => ContextKind::Element,
            "extension" => ContextKind::Extension,
            "fhirpath" => ContextKind::FhirPath,
            _ => return None,
        };
        let expression = text("expression")?;
        let program = (kind == ContextKind::FhirPath).then(|| Expression::new(expression, None));
        Some(ExtensionContext { kind, expression: expression.into(), program })
    }
}

/// Extensions that the definitions of R4 themselves put where their contexts do not say: url and element.
const MISPLACED: [(&str, &str); 2] = [
    ("http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type", "ElementDefinition.type"),
    ("http://hl7.org/fhir/StructureDefinition/regex", "ElementDefinition.type"),
];

/// Checks every extension of `resource`, and of the resources within it, against its definition.
pub fn extensions<'a>(resource: Node<'a>, context: &Context<'a>, issues: &mut dyn FnMut(Issue) -> Flow) {
    let Some(place) = Place::outermost(resource, context) else { return };
    let mut walk = Walk::new(context, issues, place);
    let at = root(Item::resource(resource).ty, context);
    let _ = inside::extensions_of(&mut walk, resource, &at);
}

impl<'a> Walk<'a, '_> {
    /// An extension of the element `host`; `outer` defines the extension that this is a part of.
    pub(super) fn extension(&mut self, extension: Object<'a>, is_modifier: bool, host: &Host<'a, '_>, outer: Option<&Profile>, at: &At) -> Result<Option<Arc<Profile>>, Flow> {
        let go_on = |flow: Flow| if flow.is_break() { Err(flow) } else { Ok(None) };
        // That there is one is for the base definition to say.
        let Some(url) = extension.get("url").and_then(Node::as_str) else { return Ok(None) };
        let mut tell = |severity, code, profile: Option<&Profile>, details: String| self.tell(severity, code, at, "extension", profile, details);
        if !url.contains(':') {
            let Some(outer) = outer else {
                // Within an extension that is not known its parts are not either.
                return if host.ty == EXTENSION { Ok(None) } else { go_on(tell(Severity::Error, "extension", None, format!("the url \"{}\" of an extension must be absolute", brief(url)))) };
            };
            let parts = outer.tree.child("extension").map(|e| e.slices.as_slice()).unwrap_or_default();
            if parts.iter().all(|part| extension_url(part).as_deref() != Some(url)) {
                let details = format!("the extension {} has no part \"{}\"", outer.url, brief(url));
                return go_on(tell(Severity::Error, "extension", Some(outer), details));
            }
            return Ok(None);
        }
        let Some(definition) = self.profile(url) else {
            let (severity, code, what) = match is_modifier {
                true => (Severity::Error, "extension", "modifier extension"),
                false => (Severity::Warning, "not-found", "extension"),
            };
            return go_on(self.tell(severity, code, at, "extension", None, format!("the {what} {} is not known", brief(url))));
        };
        let mut flow = GO_ON;
        if definition.ty != EXTENSION {
            flow = self.tell(Severity::Error, "extension", at, "extension", Some(&definition), format!("{} does not define an extension", brief(url)));
        } else if definition.is_modifier != is_modifier {
            let details = match is_modifier {
                true => format!("{} does not define a modifier extension", brief(url)),
                false => format!("{} defines a modifier extension, which must not stand among the others", brief(url)),
            };
            flow = self.tell(Severity::Error, "extension", at, "extension", Some(&definition), details);
        }
        if flow.is_continue() && !definition.contexts.is_empty() && !definition.contexts.iter().any(|context| self.allows(context, host)) && !is_misplaced(url, host) {
            let places: Vec<_> = definition.contexts.iter().take(20).map(|context| &*context.expression).collect();
            let details = format!("the extension {} may not stand here, only on {}", brief(url), places.join(", "));
            flow = self.tell(Severity::Error, "extension", at, "extension", Some(&definition), details);
        }
        if flow.is_continue() {
            flow = self.context_invariants(&definition, extension, host, at);
        }
        if flow.is_continue() {
            flow = self.conform(&definition, Item { value: Some(Node::Object(extension)), sibling: None, ty: EXTENSION }, at);
        }
        if flow.is_break() { Err(flow) } else { Ok(Some(definition)) }
    }

    fn allows(&mut self, context: &ExtensionContext, host: &Host<'a, '_>) -> bool {
        match context.kind {
            ContextKind::Extension => host.url.is_some_and(|url| url == context.expression.split_once('#').map_or(&*context.expression, |(url, _)| url)),
            ContextKind::Element => {
                // `url#path`: the element of a profile.
                let expression = context.expression.split_once('#').map_or(&*context.expression, |(_, path)| path);
                is_element(expression, host)
            }
            ContextKind::FhirPath => self.selects(context, host),
        }
    }
}

fn is_misplaced(url: &str, host: &Host<'_, '_>) -> bool {
    MISPLACED.iter().any(|(misplaced, path)| *misplaced == url && is_element(path, host))
}

/// Whether `host` is the element that a path names: by the path from the resource, or from any type on the way.
fn is_element(expression: &str, host: &Host<'_, '_>) -> bool {
    let expression = expression.strip_prefix(super::CORE).unwrap_or(expression);
    let root = expression.split('.').next().unwrap_or_default();
    // A type that R4 does not have is not for us to refuse.
    if expression == "Element" || type_named(root).is_none() {
        return true;
    }
    let mut host = Some(host);
    let mut rest = expression;
    loop {
        let Some(here) = host else { return false };
        let same = here.ty.name() == rest || type_named(rest).is_some_and(|ty| is_a(here.ty, ty));
        if same {
            return true;
        }
        let Some((before, name)) = rest.rsplit_once('.') else { return false };
        if here.name != name.strip_suffix("[x]").unwrap_or(name) && here.property != name {
            return false;
        }
        (rest, host) = (before, here.parent);
    }
}

fn brief(url: &str) -> &str {
    url.char_indices().nth(256).map_or(url, |(end, _)| &url[..end])
}
