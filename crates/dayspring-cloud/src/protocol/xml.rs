//! Writing XML, as the query protocol and S3 answer with it.

/// A document that is being written.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// An element with text in it.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) {
        self.open(name);
        push_escaped(&mut self.text, text.as_ref());
        self.close(name);
    }

    /// The element, where there is a text for it.
    pub(crate) fn optional(&mut self, name: &str, text: Option<impl AsRef<str>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with elements in it.
    pub(crate) fn nest(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.open(name);
        inner(self);
        self.close(name);
    }

    /// The outermost element, which names its namespace.
    pub(crate) fn root(name: &str, namespace: &str, inner: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self {
            text: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{namespace}\">"
            ),
        };
        inner(&mut xml);
        xml.close(name);
        xml.text
    }

    /// A list in the query protocol's form: `<NAME><member>...</member></NAME>`.
    pub(crate) fn members<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.nest(name, |xml| {
            for item in items {
                xml.nest("member", |xml| write(xml, item));
            }
        });
    }

    /// Text into the element that is open.
    pub(crate) fn inline(&mut self, text: &str) {
        push_escaped(&mut self.text, text);
    }

    /// The document without a root's namespace.
    pub(crate) fn document(self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", self.text)
    }

    fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }
}

/// Escapes what XML 1.0 needs escaped, and replaces what it cannot carry at all.
fn push_escaped(into: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            // A parser would turn a bare CR into LF.
            '\r' => into.push_str("&#13;"),
            '\t' | '\n' => into.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => into.push('\u{fffd}'),
            _ => into.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_what_xml_cannot_carry_is_replaced() {
        let text = Xml::root("A", "urn:x", |xml| {
            xml.text("B", "<&>\"\r\n\u{1}");
            xml.members("C", ["1"], |xml, item| xml.inline(item));
        });
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <A xmlns="urn:x"><B>&lt;&amp;&gt;&quot;&#13;
        �</B><C><member>1</member></C></A>
        "#);
    }
}
