// Reads the text of a formula, and draws it as MathML: in words, or with the numbers put in.
//
//   sum     = product (("+" | "-") product)*
//   product = power (("*" | "/") power)*
//   power   = atom ("^" power)?  |  "-" power
//   atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

export type Expression =
  | { kind: 'number'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'negative'; of: Expression }
  | { kind: 'binary'; operator: '+' | '-' | '*' | '/' | '^'; left: Expression; right: Expression }
  | { kind: 'call'; name: string; args: Expression[] };

const kToken = /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/^(),]))/y;

export function parseFormula(text: string): Expression {
  const tokens: { text: string; kind: 'number' | 'name' | 'sign' }[] = [];
  kToken.lastIndex = 0;
  while (text.slice(kToken.lastIndex).trim() !== '') {
    const at = kToken.lastIndex;
    const match = kToken.exec(text);
    if (!match) throw new SyntaxError(`formula: unexpected "${text.slice(at).trim()[0]}" in "${text}"`);
    if (match[1] !== undefined) tokens.push({ text: match[1], kind: 'number' });
    else if (match[2] !== undefined) tokens.push({ text: match[2], kind: 'name' });
    else tokens.push({ text: match[3] as string, kind: 'sign' });
  }
  let at = 0;
  const sign = (): string => (tokens[at]?.kind === 'sign' ? tokens[at]!.text : '');
  const expect = (wanted: string): void => {
    if (sign() !== wanted) throw new SyntaxError(`formula: expected "${wanted}" in "${text}"`);
    at += 1;
  };
  function sum(): Expression {
    let left = product();
    while (sign() === '+' || sign() === '-') {
      const operator = tokens[at++]!.text as '+' | '-';
      left = { kind: 'binary', operator, left, right: product() };
    }
    return left;
  }
  function product(): Expression {
    let left = power();
    while (sign() === '*' || sign() === '/') {
      const operator = tokens[at++]!.text as '*' | '/';
      left = { kind: 'binary', operator, left, right: power() };
    }
    return left;
  }
  function power(): Expression {
    if (sign() === '-') {
      at += 1;
      return { kind: 'negative', of: power() };
    }
    const base = atom();
    if (sign() !== '^') return base;
    at += 1;
    return { kind: 'binary', operator: '^', left: base, right: power() };
  }
  function atom(): Expression {
    const token = tokens[at];
    if (token?.kind === 'number') {
      at += 1;
      return { kind: 'number', text: token.text };
    }
    if (token?.kind === 'name') {
      at += 1;
      if (sign() !== '(') return { kind: 'name', name: token.text };
      const args: Expression[] = [];
      do {
        at += 1;
        args.push(sum());
      } while (sign() === ',');
      expect(')');
      return { kind: 'call', name: token.text, args };
    }
    expect('(');
    const inner = sum();
    expect(')');
    return inner;
  }
  const expression = sum();
  if (at < tokens.length) throw new SyntaxError(`formula: unexpected "${tokens[at]!.text}" in "${text}"`);
  return expression;
}

/** One MathML element, before it is drawn. */
export interface MathNode {
  tag: string;
  attributes?: Record<string, string>;
  children: (MathNode | string)[];
}

const node = (tag: string, ...children: (MathNode | string)[]): MathNode => ({ tag, children });
const row = (...children: MathNode[]): MathNode => (children.length === 1 ? children[0]! : node('mrow', ...children));
const operator = (text: string): MathNode => node('mo', text);
// With room on both sides also inside fractions, where browsers set operators tight.
const between = (text: string): MathNode => ({ tag: 'mo', attributes: { lspace: '0.25em', rspace: '0.25em' }, children: [text] });

const kPrecedence = { '+': 1, '-': 1, '*': 2, '/': 2, '^': 3 } as const;
const kSign = { '+': '+', '-': '−', '*': '×' } as const;

const fenced = (inner: MathNode, open = '(', close = ')'): MathNode => row(operator(open), inner, operator(close));

/** How a name is drawn: its words, or the number put in for it. */
export type NameDrawer = (name: string) => MathNode;

export const inWords = (words: (name: string) => string): NameDrawer => (name) => node('mtext', words(name));

function precedenceOf(e: Expression): number {
  if (e.kind === 'binary') return e.operator === '/' ? 4 : kPrecedence[e.operator]; // a fraction bar is its own bracket
  return e.kind === 'negative' ? 1 : 4;
}

function draw(e: Expression, name: NameDrawer): MathNode {
  const bracketed = (inner: Expression, level: number): MathNode =>
    precedenceOf(inner) < level ? fenced(draw(inner, name)) : draw(inner, name);
  switch (e.kind) {
    case 'number':
      return node('mn', e.text);
    case 'name':
      return name(e.name);
    case 'negative':
      return row(operator('−'), bracketed(e.of, 2));
    case 'call': {
      const args = e.args.map((arg) => draw(arg, name));
      if (e.name === 'sqrt') return node('msqrt', ...args);
      if (e.name === 'ceil') return fenced(row(...args), '⌈', '⌉');
      if (e.name === 'floor') return fenced(row(...args), '⌊', '⌋');
      const list = row(...args.flatMap((arg, i) => (i === 0 ? [arg] : [operator(','), arg])));
      return row(e.name === 'sum' ? operator('∑') : node('mi', e.name), fenced(list));
    }
    case 'binary':
      switch (e.operator) {
        case '/':
          return node('mfrac', draw(e.left, name), draw(e.right, name));
        case '^': {
          const base = precedenceOf(e.left) < 4 || (e.left.kind === 'binary' && e.left.operator === '/');
          return node('msup', base ? fenced(draw(e.left, name)) : draw(e.left, name), draw(e.right, name));
        }
        default: {
          const level = kPrecedence[e.operator];
          return row(
            bracketed(e.left, level),
            between(kSign[e.operator]),
            bracketed(e.right, e.operator === '-' ? level + 1 : level),
          );
        }
      }
  }
}

/** The terms of a top-level sum, each with its sign, so that a long sum can be set one term to a line. */
function terms(e: Expression): { sign: '' | '+' | '−'; term: Expression }[] {
  if (e.kind !== 'binary' || (e.operator !== '+' && e.operator !== '-')) return [{ sign: '', term: e }];
  return [...terms(e.left), { sign: kSign[e.operator] as '+' | '−', term: e.right }];
}

/** About how many characters wide a drawing is; Chinese ones count double. */
function widthOf(drawn: MathNode | string): number {
  if (typeof drawn === 'string') return [...drawn].reduce((sum, c) => sum + (c > '\u2e80' ? 1.9 : 1), 0);
  const widths = drawn.children.map(widthOf);
  if (drawn.tag === 'mfrac') return Math.max(...widths) + 1;
  return widths.reduce((sum, w) => sum + w, 0) + (drawn.tag === 'mo' ? 0.8 : 0);
}

/** The first of these lines after `open`, the last before `close`. */
function around(open: MathNode | undefined, lines: MathNode[], close?: MathNode): MathNode[] {
  return lines.map((l, i) => row(...(i === 0 && open ? [open] : []), l, ...(i === lines.length - 1 && close ? [close] : [])));
}

const factors = (e: Expression): Expression[] => (e.kind === 'binary' && e.operator === '*' ? [...factors(e.left), ...factors(e.right)] : [e]);

/** A formula in lines of about `room` characters: broken before the signs of sums, products and quotients, outermost first. */
function broken(e: Expression, name: NameDrawer, room: number): MathNode[] {
  const whole = draw(e, name);
  if (widthOf(whole) <= room) return [whole];
  const inner = (part: Expression, level: number): MathNode[] =>
    precedenceOf(part) < level ? around(operator('('), broken(part, name, room - 2), operator(')')) : broken(part, name, room - 2);
  if (e.kind === 'call' && e.name !== 'sqrt') {
    const [open, close] = e.name === 'ceil' ? ['⌈', '⌉'] : e.name === 'floor' ? ['⌊', '⌋'] : ['(', ')'];
    const lead = e.name === 'ceil' || e.name === 'floor' ? operator(open!) : row(e.name === 'sum' ? operator('∑') : node('mi', e.name), operator(open!));
    const args = e.args.flatMap((arg, i) => around(undefined, broken(arg, name, room - 2), i < e.args.length - 1 ? operator(',') : undefined));
    return around(lead, args, operator(close!));
  }
  if (e.kind !== 'binary' || e.operator === '^') return [whole];
  if (e.operator === '/') return [...inner(e.left, 2), ...around(between('÷'), e.right.kind === 'binary' ? around(operator('('), broken(e.right, name, room - 3), operator(')')) : inner(e.right, 3))];
  if (e.operator === '*') {
    const lines: MathNode[] = [];
    for (const [i, factor] of factors(e).entries()) {
      const drawn = inner(factor, 2);
      const last = lines[lines.length - 1];
      if (last && drawn.length === 1 && widthOf(last) + widthOf(drawn[0]!) + 2 <= room) lines[lines.length - 1] = row(last, between('×'), drawn[0]!);
      else lines.push(...(i === 0 ? drawn : around(between('×'), drawn)));
    }
    return lines;
  }
  return terms(e).flatMap(({ sign, term }) => around(sign === '' ? undefined : between(sign), inner(term, 2)));
}

/** `label = formula` as MathML. Sums of more than two terms are set one term to a line, and what is wider than `room` characters in several. */
export function toMath(e: Expression, name: NameDrawer, label?: MathNode, room = Infinity): MathNode {
  const lead = label ? [label, operator('=')] : [];
  const narrow = widthOf(row(...lead, draw(e, name))) > room;
  const wide = terms(e).length > 2;
  let lines: MathNode[];
  if (narrow) lines = broken(e, name, room);
  else if (wide) lines = terms(e).map(({ sign, term }) => row(...(sign === '' ? [] : [operator(sign)]), term.kind === 'binary' && precedenceOf(term) < 2 ? fenced(draw(term, name)) : draw(term, name)));
  else lines = [draw(e, name)];
  const table = (rows: MathNode[]): MathNode => node('mtable', ...rows.map((l) => node('mtr', { tag: 'mtd', attributes: { class: 'line' }, children: [l] })));
  const body = lines.length === 1 ? row(...lead, lines[0]!) : narrow ? table([...(label ? [row(...lead)] : []), ...lines]) : row(...lead, table(lines));
  return { tag: 'math', attributes: { display: 'block' }, children: [body] };
}

export function serialize(math: MathNode | string): string {
  if (typeof math === 'string') return math.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const attributes = Object.entries(math.attributes ?? {}).map(([key, value]) => ` ${key}="${value}"`);
  return `<${math.tag}${attributes.join('')}>${math.children.map(serialize).join('')}</${math.tag}>`;
}

export function toElement(math: MathNode, owner: Document = document): Element {
  const element = owner.createElementNS('http://www.w3.org/1998/Math/MathML', math.tag);
  for (const [key, value] of Object.entries(math.attributes ?? {})) element.setAttribute(key, value);
  for (const child of math.children) element.append(typeof child === 'string' ? child : toElement(child, owner));
  return element;
}

/** The names that a formula uses, in the order in which they first stand in it. */
export function namesIn(e: Expression, found = new Set<string>()): Set<string> {
  if (e.kind === 'name') found.add(e.name);
  else if (e.kind === 'negative') namesIn(e.of, found);
  else if (e.kind === 'call') e.args.forEach((arg) => namesIn(arg, found));
  else if (e.kind === 'binary') {
    namesIn(e.left, found);
    namesIn(e.right, found);
  }
  return found;
}
