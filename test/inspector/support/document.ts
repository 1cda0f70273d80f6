/**
 * The part of a browser's document that the inspector's page needs: its markup, the changes by its script, and the actions
 * of a person. The browser test has a real document. This one needs no browser.
 */
const VOID = new Set(['meta', 'input']);
const RAW = /^(style|script)$/;
const DISABLEABLE = /^(button|input|select)$/;

/** A piece of text or an element. */
type Node = Element | string;

export class Element {
  readonly document: Document;
  readonly name: string;
  readonly children: Element[] = [];
  readonly dataset: Record<string, string>;
  parent: Element | undefined;
  className = '';
  scope = '';
  type = '';
  value: unknown = '';
  max = 0;
  high = 0;
  disabled = false;
  readonly #attributes = new Map<string, string>();
  readonly #listeners = new Map<string, (() => void)[]>();
  #nodes: Node[] = [];

  constructor(document: Document, name: string, attributes: Iterable<readonly [string, string]> = []) {
    this.document = document;
    this.name = name;
    for (const [key, value] of attributes) this.setAttribute(key, value);
    this.dataset = Object.fromEntries(
      [...this.#attributes].filter(([key]) => key.startsWith('data-')).map(([key, value]) => [key.slice(5), value]),
    );
  }

  get textContent(): string {
    return this.#nodes.map((node) => (typeof node === 'string' ? node : node.textContent)).join('');
  }
  set textContent(text: string) {
    this.replaceChildren(text);
  }
  get firstChild(): Element {
    return this.children[0] as Element;
  }
  get isConnected(): boolean {
    return this === this.document.root || this.parent?.isConnected === true;
  }

  setAttribute(key: string, value: unknown): void {
    this.#attributes.set(key, String(value));
  }
  getAttribute(key: string): string | null {
    return this.#attributes.get(key) ?? null;
  }
  removeAttribute(key: string): void {
    this.#attributes.delete(key);
  }

  append(...nodes: Node[]): void {
    for (const node of nodes) this.#insert(node, this.#nodes.length);
  }
  appendChild(child: Element): Element {
    this.append(child);
    return child;
  }
  insertBefore(child: Element, before: Element | null): void {
    child.remove();
    this.#insert(child, before === null ? this.#nodes.length : this.#nodes.indexOf(before));
  }
  replaceChildren(...nodes: Node[]): void {
    while (this.children.length > 0) this.firstChild.remove();
    this.#nodes = [];
    this.append(...nodes);
  }
  remove(): void {
    if (this.parent === undefined) return;
    if (this.document.activeElement !== null && this.#holds(this.document.activeElement)) this.document.activeElement = null;
    this.parent.#nodes = this.parent.#nodes.filter((node) => node !== this);
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = undefined;
  }

  focus(): void {
    this.document.activeElement = this;
  }
  addEventListener(event: string, listener: () => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }
  /** The actions of a person. A disabled control ignores them. */
  dispatch(event: string): void {
    if (this.disabled && DISABLEABLE.test(this.name)) return;
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }
  click(): void {
    this.dispatch('click');
  }

  /** Itself and everything in it, in the order of the document. */
  *all(): Generator<Element> {
    yield this;
    for (const child of this.children) yield* child.all();
  }

  #holds(other: Element): boolean {
    return [...this.all()].includes(other);
  }
  #insert(node: Node, at: number): void {
    const next = this.#nodes.slice(at).find((one) => one instanceof Element);
    this.#nodes.splice(at, 0, node);
    if (typeof node === 'string') return;
    this.children.splice(next === undefined ? this.children.length : this.children.indexOf(next), 0, node);
    node.parent = this;
  }
}

const unescaped = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

/** Understands tags, quoted attributes and text. Throws at tags that do not match. */
export class Document {
  readonly root = new Element(this, 'document');
  activeElement: Element | null = null;
  /** The script gives no ids, so those of the markup are all there are. */
  readonly #byId: ReadonlyMap<string | null, Element>;

  constructor(html: string) {
    let open = this.root;
    for (const [, close, name, attributes = '', text] of html.matchAll(
      /<(?:!doctype html|(\/?)(\w+)((?:\s+[\w-]+(?:="[^"]*")?)*))>|([^<]+|<)/g,
    )) {
      if (name === undefined || (RAW.test(open.name) && name !== open.name)) open.append(unescaped(text ?? ''));
      else if (close === '/') {
        if (open.name !== name) throw new Error(`</${name}> closes <${open.name}>`);
        open = open.parent as Element;
      } else {
        const pairs = [...attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].map(
          ([, key, value = '']) => [key as string, unescaped(value)] as const,
        );
        const element = open.appendChild(new Element(this, name, pairs));
        if (!VOID.has(name)) open = element;
      }
    }
    if (open !== this.root) throw new Error(`<${open.name}> is not closed`);
    this.#byId = new Map(this.all.map((element) => [element.getAttribute('id'), element]));
  }

  get all(): Element[] {
    return [...this.root.all()];
  }
  named(name: string): Element[] {
    return this.all.filter((element) => element.name === name);
  }
  getElementById(id: string): Element | null {
    return this.#byId.get(id) ?? null;
  }
  createElement(name: string): Element {
    return new Element(this, name);
  }
  /** Known by its namespace and name, as `'svg:rect'`: elsewhere it would not be drawn. */
  createElementNS(namespace: string, name: string): Element {
    return new Element(this, `${namespace === 'http://www.w3.org/2000/svg' ? 'svg:' : ''}${name}`);
  }
  /** A name, or a name and an attribute: `'th[data-sort]'`. */
  querySelectorAll(selector: string): Element[] {
    const [, name, attribute] = /^(\w+)(?:\[([\w-]+)\])?$/.exec(selector) as RegExpExecArray;
    return this.named(name as string).filter((element) => attribute === undefined || element.getAttribute(attribute) !== null);
  }
  querySelector(selector: string): Element | null {
    return this.querySelectorAll(selector)[0] ?? null;
  }
}
