/** An element of an XML document: only what metadata files use. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<![^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>/g;

/** Parses an XML document and returns its root element. Throws `Error` in words for what is not well formed. */
export function parseXml(text: string): XmlElement {
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const current = open[open.length - 1];
    current.text += plain(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [, closes, name, attributes, isEmpty] = match;
    if (name === undefined) continue;
    if (closes) {
      if (current.name !== name) throw new Error(`</${name}> closes <${current.name}>`);
      open.pop();
      continue;
    }
    const element: XmlElement = { name, attributes: {}, children: [], text: '' };
    for (const [, key, , double, single] of attributes.matchAll(/([\w:.-]+)\s*=\s*("([^"]*)"|'([^']*)')/g)) {
      element.attributes[key] = plain(double ?? single);
    }
    current.children.push(element);
    if (!isEmpty) open.push(element);
  }
  if (open.length > 1) throw new Error(`<${open[open.length - 1].name}> is not closed`);
  const [root] = top.children;
  if (!root) throw new Error('it has no element');
  return root;
}

/** The first child of a name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((inner) => inner.name === name);

/** Every element of a name below an element, in the order of the document. */
export const all = (element: XmlElement, name: string): XmlElement[] =>
  element.children.flatMap((inner) => [...(inner.name === name ? [inner] : []), ...all(inner, name)]);
