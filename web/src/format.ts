// Numbers as people read them: rounded, with a unit, in the reader's language. The only arithmetic of the page.

export type ByteUnit = 'GiB' | 'GB';

export interface Format {
  readonly unit: ByteUnit;
  bytes(value: number): string;
  /** Bytes in GB or GiB whatever the size, so that figures in one column compare. */
  giga(value: number): string;
  seconds(value: number): string;
  count(value: number): string;
  /** 8,030,261,248 as 8.03 B, the way models are called. */
  short(value: number): string;
  percent(value: number): string;
  /** Two ends of an interval, with their unit once where they share it. */
  range(low: number, high: number, unit: string | undefined): string;
  number(value: number): string;
  /** Any number of an answer, by the unit that describe() gives it; `giga` are bytes as giga() shows them. */
  of(value: number, unit: string | undefined): string;
  /** Every digit, for the shown work. */
  exact(value: number, unit?: string): string;
}

const kBinary: [number, string][] = [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'B']];
const kDecimal: [number, string][] = [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']];
const kPrefixes: [number, string][] = [[1e18, 'E'], [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']];
const kShort: [number, string][] = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K'], [1, '']];

const digitsFor = (value: number): number => (Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2);

export function makeFormat(lang: string, unit: ByteUnit, words: { unit: (unit: string) => string }): Format {
  const formatters = new Map<string, Intl.NumberFormat>();
  const intl = (key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat => {
    let made = formatters.get(key);
    if (!made) formatters.set(key, (made = new Intl.NumberFormat(lang, options)));
    return made;
  };
  const fixed = (value: number, digits: number): string =>
    intl(`f${digits}`, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const rounded = (value: number): string =>
    Math.abs(value) >= 99.95
      ? intl('r0', { maximumFractionDigits: 0 }).format(value)
      : Number.isInteger(value) ? intl('r0', { maximumFractionDigits: 0 }).format(value)
      : intl('r3', { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }).format(value);
  const scaled = (value: number, scale: [number, string][], from = 1): [number, string] => {
    const [factor, name] = scale.find(([f]) => Math.abs(value) >= f * from) ?? scale[scale.length - 1]!;
    return [value / factor, name];
  };
  const join = (value: string, name: string): string => (name === '' ? value : name.startsWith('/') ? value + name : `${value}\u00a0${name}`);
  const giga = (): [number, string] => (unit === 'GiB' ? kBinary : kDecimal)[0]!;

  const format: Format = {
    unit,
    bytes(value) {
      const [n, name] = scaled(value, unit === 'GiB' ? kBinary : kDecimal);
      return join(name.length === 1 ? rounded(n) : fixed(n, digitsFor(n)), name);
    },
    giga(value) {
      const [factor, name] = giga();
      const n = value / factor;
      if (n === 0) return join('0', name);
      if (n > 0 && n < 0.005) return join(`< ${fixed(0.01, 2)}`, name);
      return join(fixed(n, digitsFor(n)), name);
    },
    seconds(value) {
      if (value === 0) return join('0', words.unit('s'));
      if (value < 1e-3) return join(rounded(value * 1e6), 'µs');
      if (value < 1) return join(rounded(value * 1e3), 'ms');
      if (value < 120) return join(rounded(value), words.unit('s'));
      if (value < 7200) return join(rounded(value / 60), words.unit('min'));
      if (value < 172800) return join(rounded(value / 3600), words.unit('h'));
      return join(rounded(value / 86400), words.unit('d'));
    },
    count: (value) => intl('c', { maximumFractionDigits: 0 }).format(value),
    short(value) {
      const [n, name] = scaled(value, kShort);
      return rounded(n) + name;
    },
    percent(value) {
      const digits = value > 0 && value < 0.0995 ? 1 : 0;
      return intl(`p${digits}`, { style: 'percent', maximumFractionDigits: digits }).format(value);
    },
    range(low, high, of) {
      const [a, b] = [format.of(low, of), format.of(high, of)];
      const [first, last] = [a.split('\u00a0'), b.split('\u00a0')];
      return `${first.length === 2 && first[1] === last[1] ? first[0] : a} – ${b}`;
    },
    number: rounded,
    of(value, of) {
      switch (of) {
        case 'bytes':
          return format.bytes(value);
        case 'giga':
          return format.giga(value);
        case 'bytes/token':
          return join(format.bytes(value), words.unit('/token'));
        case 'bytes/s':
          return join(...prefixed(value, 'B/s'));
        case 's':
        case 'seconds':
          return format.seconds(value);
        case 'FLOP':
        case 'FLOP/s':
          return join(...prefixed(value, of));
        case 'FLOP/token':
          return join(...prefixed(value, 'FLOP')) + words.unit('/token');
        case 'J':
          return join(...prefixed(value, of));
        case 'USD':
          if (value >= 1e5) return intl('um', { style: 'currency', currency: 'USD', notation: 'compact', maximumSignificantDigits: 3 }).format(value);
          return value >= 1
            ? intl('u', { style: 'currency', currency: 'USD' }).format(value)
            : intl('u3', { style: 'currency', currency: 'USD', maximumSignificantDigits: 3 }).format(value);
        case 'parameters':
          return format.short(value);
        case 'devices':
          return format.count(value);
        case undefined:
        case '':
        case '1':
          return Number.isInteger(value) ? format.count(value) : rounded(value);
        default:
          if (of.startsWith('USD')) return join(format.of(value, 'USD'), words.unit(of.slice(3)));
          return join(Number.isInteger(value) ? format.count(value) : rounded(value), words.unit(of));
      }
    },
    exact(value, of) {
      const plain =
        Number.isInteger(value) && Math.abs(value) < 1e17
          ? format.count(value)
          : Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) < 1e-4)
            ? scientific(value)
            : intl('x', { maximumSignificantDigits: 8 }).format(value);
      return of === undefined || of === '' || of === '1' ? plain : join(plain, words.unit(of));
    },
  };
  function prefixed(value: number, name: string): [string, string] {
    const [n, prefix] = scaled(value, kPrefixes);
    return [rounded(n), prefix + name];
  }
  function scientific(value: number): string {
    const [mantissa, exponent] = value.toExponential(6).split('e') as [string, string];
    const power = [...String(Number(exponent))].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)])).join('');
    return `${intl('x', { maximumSignificantDigits: 8 }).format(Number(mantissa))} × 10${power}`;
  }
  return format;
}
