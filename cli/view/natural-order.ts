/**
 * docker's order of names, `web2` before `web10`: digits count by their number, all else by its code.
 * Not localeCompare, whose tables take longer to load than the answer of the daemon.
 */
export function naturalOrder(a: string, b: string): number {
  let at = 0;
  let bt = 0;
  while (at < a.length && bt < b.length) {
    const [digits, others] = [digitsAt(a, at), digitsAt(b, bt)];
    if (digits !== '' && others !== '') {
      const order = numberOrder(digits, others);
      if (order !== 0) return order;
      at += digits.length;
      bt += others.length;
    } else {
      const order = codeOrder(a.charAt(at), b.charAt(bt));
      if (order !== 0) return order;
      at += 1;
      bt += 1;
    }
  }
  return a.length - at - (b.length - bt);
}

/** Letters as they are coded; also the order of times in ISO 8601. */
export const codeOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function digitsAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= NINE) end += 1;
  return text.slice(start, end);
}

const ZERO = 48;
const NINE = 57;

/** Of any length, where numbers would lose their last digits. */
function numberOrder(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || codeOrder(x, y);
}
