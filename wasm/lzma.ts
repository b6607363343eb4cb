// LZMA as LZMA SDK's lzma-specification.txt defines it, behind the size of what is packed in four bytes: a .wasm is a fifth smaller than
// as gzip. The site's modules and those inside other files are packed so (scripts/finish_module.mjs); DecompressionStream does not know it.

// How finish_module.mjs packs: literals after the four high bits of the byte before, positions without meaning.
const kLiteralContextBits = 4;

const kStates = 12;
const kLengthProbs = 2 + 2 * 8 + 256;           // two choices, a short and a middling tree (positions have one state), a long tree

const kAtOnce = 1 << 14;                        // bytes between two pauses: a few milliseconds on a phone

/** What `packed` holds. */
export function unpackLzma(packed: Uint8Array): Uint8Array<ArrayBuffer> {
  for (const steps = unpackInSteps(packed); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, letting whatever waits go first. */
export async function unpackLater(packed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { port1, port2 } = new MessageChannel(); // a timer would wait for four milliseconds each time
  for (const steps = unpackInSteps(packed); ; ) {
    const { done, value } = steps.next();
    if (done) {
      port1.close();
      return value;
    }
    await new Promise((go) => {
      port1.onmessage = go;
      port2.postMessage(0);
    });
  }
}

function* unpackInSteps(packed: Uint8Array): Generator<undefined, Uint8Array<ArrayBuffer>> {
  const size = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  const out = new Uint8Array(size);
  const probs = (count: number): Uint16Array => new Uint16Array(count).fill(1024);
  const literal = probs(0x300 << kLiteralContextBits);
  const isMatch = probs(kStates), isRep = probs(kStates), isRep0 = probs(kStates), isRep1 = probs(kStates), isRep2 = probs(kStates), isLongRep0 = probs(kStates);
  const slots = probs(4 * 64), near = probs(128), align = probs(16);
  const lengths = probs(kLengthProbs), repLengths = probs(kLengthProbs);

  let at = 9;
  let range = 0xffffffff;
  let code = new DataView(packed.buffer, packed.byteOffset).getUint32(5);

  const bit = (p: Uint16Array, i: number): number => {
    const chance = p[i]!;
    const bound = (range >>> 11) * chance;
    let found = 0;
    if (code < bound) {
      range = bound;
      p[i] = chance + ((2048 - chance) >> 5);
    } else {
      range -= bound;
      code -= bound;
      p[i] = chance - (chance >> 5);
      found = 1;
    }
    if (range < 0x1000000) {
      range = (range << 8) >>> 0;
      code = ((code << 8) | packed[at++]!) >>> 0;
    }
    return found;
  };
  const tree = (p: Uint16Array, from: number, bits: number): number => {
    let m = 1;
    for (let i = 0; i < bits; ++i) m = (m << 1) | bit(p, from + m);
    return m - (1 << bits);
  };
  const treeBackwards = (p: Uint16Array, from: number, bits: number): number => {
    let m = 1;
    let value = 0;
    for (let i = 0; i < bits; ++i) {
      const b = bit(p, from + m);
      m = (m << 1) | b;
      value |= b << i;
    }
    return value;
  };
  const evenly = (bits: number): number => {
    let value = 0;
    for (let i = 0; i < bits; ++i) {
      range >>>= 1;
      const b = code >= range ? 1 : 0;
      if (b) code -= range;
      if (range < 0x1000000) {
        range = (range << 8) >>> 0;
        code = ((code << 8) | packed[at++]!) >>> 0;
      }
      value = value * 2 + b;
    }
    return value;
  };
  const length = (p: Uint16Array): number => (bit(p, 0) === 0 ? 2 + tree(p, 2, 3) : bit(p, 1) === 0 ? 10 + tree(p, 10, 3) : 18 + tree(p, 18, 8));

  let [rep0, rep1, rep2, rep3] = [0, 0, 0, 0];
  let state = 0;
  for (let done = 0, pause = kAtOnce; done < size; ) {
    if (done > pause) {
      pause += kAtOnce;
      yield;
    }
    if (bit(isMatch, state) === 0) {
      const before = done > 0 ? out[done - 1]! : 0;
      const from = 0x300 * (before >> (8 - kLiteralContextBits));
      let symbol = 1;
      if (state >= 7) {
        let matched = out[done - rep0 - 1]!;
        while (symbol < 0x100) {
          const expected = (matched >> 7) & 1;
          matched <<= 1;
          const b = bit(literal, from + ((1 + expected) << 8) + symbol);
          symbol = (symbol << 1) | b;
          if (b !== expected) break;
        }
      }
      while (symbol < 0x100) symbol = (symbol << 1) | bit(literal, from + symbol);
      out[done++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let run: number;
    if (bit(isRep, state) !== 0) {
      if (bit(isRep0, state) === 0) {
        if (bit(isLongRep0, state) === 0) {
          out[done] = out[done - rep0 - 1]!;
          ++done;
          state = state < 7 ? 9 : 11;
          continue;
        }
      } else if (bit(isRep1, state) === 0) {
        [rep0, rep1] = [rep1, rep0];
      } else if (bit(isRep2, state) === 0) {
        [rep0, rep1, rep2] = [rep2, rep0, rep1];
      } else {
        [rep0, rep1, rep2, rep3] = [rep3, rep0, rep1, rep2];
      }
      run = length(repLengths);
      state = state < 7 ? 8 : 11;
    } else {
      [rep1, rep2, rep3] = [rep0, rep1, rep2];
      run = length(lengths);
      state = state < 7 ? 7 : 10;
      const slot = tree(slots, 64 * Math.min(run - 2, 3), 6);
      if (slot < 4) {
        rep0 = slot;
      } else {
        const bits = (slot >> 1) - 1;
        rep0 = (2 | (slot & 1)) * 2 ** bits;
        // The trees of the near distances lie one behind another, each beginning where its distances do.
        rep0 += slot < 14 ? treeBackwards(near, rep0 - slot, bits) : evenly(bits - 4) * 16 + treeBackwards(align, 0, 4);
      }
    }
    for (const end = Math.min(done + run, size); done < end; ++done) out[done] = out[done - rep0 - 1]!;
  }
  return out;
}
