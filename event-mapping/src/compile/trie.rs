//! All places of a mapping as one trie: what the walk looks for, key by key.

use crate::definition::{Constant, Place};

/// A node of the trie.
pub(crate) type NodeId = u16;

/// A node, or the place inside of an array's selected element: where a value of the line is found once it was read.
pub(crate) type SlotId = u16;

/// No child has this number.
const NONE: u8 = u8::MAX;

/// The places. Nodes are numbered from the top down: those below a node follow it.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// The slots, those of selected elements last.
    slots: usize,
}

/// A place that others lead through or end at.
#[derive(Debug)]
pub(crate) struct Node {
    children: Children,
    /// Children that are elements, by their index.
    indexes: Vec<(usize, NodeId)>,
    /// The node of elements that are selected by their members, and of those of `each`.
    pub(crate) any_element: Option<NodeId>,
    /// What is looked for among the elements.
    pub(crate) selectors: Vec<Selector>,
    /// Whether the elements are the events.
    pub(crate) is_each: bool,
    /// Whether a text here holds JSON.
    pub(crate) is_embedded: bool,
    /// The first node that is not below it.
    pub(crate) end: NodeId,
}

/// An element that is selected by its members.
#[derive(Debug)]
pub(crate) struct Selector {
    /// Nodes below the element's, and what is to stand there.
    pub(crate) is: Vec<(NodeId, Constant)>,
    /// Nodes below the element's, and the slots of what stands there.
    pub(crate) then: Vec<(NodeId, SlotId)>,
}

impl Node {
    pub(crate) fn has_members(&self) -> bool {
        !self.children.keys.is_empty()
    }

    pub(crate) fn has_elements(&self) -> bool {
        self.any_element.is_some() || !self.indexes.is_empty()
    }

    pub(crate) fn is_looked_into(&self) -> bool {
        self.has_members() || self.has_elements()
    }
}

impl Trie {
    pub(crate) fn node(&self, node: NodeId) -> &Node {
        &self.nodes[usize::from(node)]
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The child of a node whose key stands at a span.
    #[inline]
    pub(crate) fn child(&self, node: NodeId, bytes: &[u8], start: usize, end: usize) -> Option<NodeId> {
        self.node(node).children.find(bytes, start, end)
    }

    /// The node of an array's element.
    #[inline]
    pub(crate) fn element(&self, node: NodeId, index: usize) -> Option<NodeId> {
        let node = self.node(node);
        node.any_element.or_else(|| node.indexes.iter().find(|(at, _)| *at == index).map(|(_, node)| *node))
    }

    /// The node below another by steps.
    fn below(&self, node: NodeId, steps: &[String]) -> NodeId {
        steps.iter().fold(node, |node, step| {
            self.child(node, step.as_bytes(), 0, step.len()).expect("every place was put into the trie")
        })
    }

    /// The slot of a place, counted from a root.
    pub(crate) fn slot(&self, root: NodeId, place: &Place) -> SlotId {
        let array = self.below(root, &place.steps);
        let Some(selection) = &place.selection else { return array };
        let element = self.node(array).any_element.expect("the selection was put into the trie");
        let then = self.below(element, &selection.then);
        let is = |selector: &&Selector| self.is_of(selector, element, &selection.is);
        let selector = self.node(array).selectors.iter().find(is).expect("as well as the selector");
        selector.then.iter().find(|(node, _)| *node == then).expect("and its place").1
    }

    fn is_of(&self, selector: &Selector, element: NodeId, is: &[(String, Constant)]) -> bool {
        selector.is.len() == is.len()
            && selector.is.iter().zip(is).all(|((node, value), (member, other))| {
                *node == self.below(element, std::slice::from_ref(member)) && value == other
            })
    }
}

/// The keys of a node's children.
#[derive(Debug)]
struct Children {
    keys: Vec<Key>,
    /// The first key with a hash.
    first: [u8; 64],
}

#[derive(Debug)]
struct Key {
    /// The first eight bytes, or all of a shorter key.
    head: u64,
    text: Box<[u8]>,
    node: NodeId,
    /// The next key with the same hash.
    next: u8,
}

fn hash(head: u64, length: usize) -> usize {
    ((head ^ (length as u64).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
}

/// The first eight bytes from `start` to `end`, in whatever bytes surround them.
#[inline]
fn head(bytes: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    match bytes[start..].first_chunk::<8>() {
        Some(chunk) if length >= 8 => u64::from_le_bytes(*chunk),
        Some(chunk) => u64::from_le_bytes(*chunk) & ((1 << (8 * length)) - 1),
        None => bytes[start..end].iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    }
}

impl Children {
    fn new(children: &[(String, NodeId)]) -> Children {
        assert!(children.len() < usize::from(NONE), "checked when the mapping is read");
        let mut all = Children { keys: Vec::new(), first: [NONE; 64] };
        for (text, node) in children {
            let head = head(text.as_bytes(), 0, text.len());
            let first = &mut all.first[hash(head, text.len())];
            let next = std::mem::replace(first, all.keys.len() as u8);
            all.keys.push(Key { head, text: text.as_bytes().into(), node: *node, next });
        }
        all
    }

    #[inline]
    fn find(&self, bytes: &[u8], start: usize, end: usize) -> Option<NodeId> {
        let (head, length) = (head(bytes, start, end), end - start);
        let mut at = self.first[hash(head, length)];
        while let Some(key) = self.keys.get(usize::from(at)) {
            if key.head == head
                && key.text.len() == length
                && (length <= 8 || key.text[8..] == bytes[start + 8..end])
            {
                return Some(key.node);
            }
            at = key.next;
        }
        None
    }
}

/// Members of an element and their values.
type Members = Vec<(String, Constant)>;

/// A trie that places are put into.
#[derive(Debug, Default)]
pub(super) struct Builder {
    children: Vec<(String, Builder)>,
    any_element: Option<Box<Builder>>,
    selectors: Vec<(Members, Vec<Vec<String>>)>,
    is_each: bool,
    is_embedded: bool,
}

impl Builder {
    /// The builder below by some steps.
    pub(super) fn below(&mut self, steps: &[String]) -> &mut Builder {
        let [step, rest @ ..] = steps else { return self };
        let at = self.children.iter().position(|(key, _)| key == step).unwrap_or_else(|| {
            self.children.push((step.clone(), Builder::default()));
            self.children.len() - 1
        });
        self.children[at].1.below(rest)
    }

    /// Puts a place into it.
    pub(super) fn add(&mut self, place: &Place) {
        let array = self.below(&place.steps);
        let Some(selection) = &place.selection else { return };
        let element = array.any_element.get_or_insert_default();
        for (member, _) in &selection.is {
            element.below(std::slice::from_ref(member));
        }
        element.below(&selection.then);
        match array.selectors.iter_mut().find(|(is, _)| *is == selection.is) {
            Some((_, then)) if then.contains(&selection.then) => {}
            Some((_, then)) => then.push(selection.then.clone()),
            None => array.selectors.push((selection.is.clone(), vec![selection.then.clone()])),
        }
    }

    /// Says that the text at a place holds JSON.
    pub(super) fn embed(&mut self, place: &Place) {
        self.below(&place.steps).is_embedded = true;
    }

    /// Makes another trie that of the elements of the array at a place.
    pub(super) fn set_each(&mut self, place: &Place, elements: Builder) {
        let array = self.below(&place.steps);
        array.is_each = true;
        array.any_element = Some(Box::new(elements));
    }

    /// The finished trie; its root is node 0.
    pub(super) fn build(&self) -> Trie {
        let mut trie = Trie { nodes: Vec::new(), slots: 0 };
        self.number(&mut trie);
        trie.slots = trie.nodes.len();
        self.select(0, &mut trie);
        trie
    }

    fn number(&self, trie: &mut Trie) -> NodeId {
        let id = trie.nodes.len() as NodeId;
        trie.nodes.push(Node {
            children: Children::new(&[]),
            indexes: Vec::new(),
            any_element: None,
            selectors: Vec::new(),
            is_each: self.is_each,
            is_embedded: self.is_embedded,
            end: id,
        });
        let children: Vec<_> =
            self.children.iter().map(|(key, child)| (key.clone(), child.number(trie))).collect();
        let any_element = self.any_element.as_ref().map(|element| element.number(trie));
        let end = trie.nodes.len() as NodeId;
        let node = &mut trie.nodes[usize::from(id)];
        node.indexes = children.iter().filter_map(|(key, child)| Some((index(key)?, *child))).collect();
        node.children = Children::new(&children);
        (node.any_element, node.end) = (any_element, end);
        id
    }

    /// Gives the places in selected elements their slots.
    fn select(&self, node: NodeId, trie: &mut Trie) {
        for (key, child) in &self.children {
            child.select(trie.below(node, std::slice::from_ref(key)), trie);
        }
        let (Some(element), Some(node_of_element)) = (&self.any_element, trie.node(node).any_element) else {
            return;
        };
        element.select(node_of_element, trie);
        let mut selectors = Vec::new();
        for (is, then) in &self.selectors {
            let is = is
                .iter()
                .map(|(member, value)| {
                    (trie.below(node_of_element, std::slice::from_ref(member)), value.clone())
                })
                .collect();
            let then = then
                .iter()
                .map(|steps| {
                    trie.slots += 1;
                    (trie.below(node_of_element, steps), (trie.slots - 1) as SlotId)
                })
                .collect();
            selectors.push(Selector { is, then });
        }
        trie.nodes[usize::from(node)].selectors = selectors;
    }
}

/// The index that a step of a JSON Pointer is, of an array's element.
pub(crate) fn index(step: &str) -> Option<usize> {
    let is_index = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if is_index { step.parse().ok() } else { None }
}
