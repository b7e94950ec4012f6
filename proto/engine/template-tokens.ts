/** Why a text is no template of bale's, thrown while it is read. `what` is set where Go's templates have it. */
export class TemplateFault extends Error {
  constructor(
    readonly reason: string,
    readonly what?: string,
  ) {
    super(reason);
  }
}

export const malformed = (reason: string): TemplateFault => new TemplateFault(reason);
export const unsupported = (what: string, reason: string): TemplateFault => new TemplateFault(reason, what);

/** A template cut at its actions: the texts between them, trimmed as the actions ask, and what stands inside them. */
export type TemplatePiece =
  | { readonly kind: 'text'; readonly text: string }
  /** `where` names it in a reason: `action 2`. */
  | { readonly kind: 'action'; readonly inner: string; readonly where: string };

export function cutTemplate(text: string): readonly TemplatePiece[] {
  const pieces: TemplatePiece[] = [];
  let from = 0;
  let trimmed = false;
  for (let count = 1; ; count += 1) {
    const start = text.indexOf('{{', from);
    const where = `action ${count}`;
    const trimsBefore = start >= 0 && /^\{\{-\s/.test(text.slice(start, start + 4));
    const whole = text.slice(from, start < 0 ? undefined : start);
    const before = trimmed ? whole.trimStart() : whole;
    const kept = trimsBefore ? before.trimEnd() : before;
    if (kept !== '') pieces.push({ kind: 'text', text: kept });
    if (start < 0) return pieces;
    const inside = start + (trimsBefore ? 3 : 2);
    const end = endOfAction(text, inside);
    if (end < 0) throw malformed(`${where} has no end`);
    const raw = text.slice(inside, end);
    trimmed = /\s-$/.test(raw);
    const inner = trimmed ? raw.slice(0, -1) : raw;
    if (!/^\s*\/\*/.test(inner)) pieces.push({ kind: 'action', inner, where });
    from = end + 2;
  }
}

/** Where the `}}` of an action stands whose inside begins at `from`; -1 where there is none. Texts and comments may hold braces. */
function endOfAction(text: string, from: number): number {
  const comment = /\s*\/\*/y;
  comment.lastIndex = from;
  if (comment.test(text)) {
    const close = text.indexOf('*/', comment.lastIndex);
    return close < 0 ? -1 : text.indexOf('}}', close);
  }
  const step = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}|[^"`}]+|\}/sy;
  step.lastIndex = from;
  for (let at = from; ; at = step.lastIndex) {
    const match = step.exec(text);
    if (match === null) return -1;
    if (match[0] === '}}') return at;
  }
}

export interface Token {
  readonly kind: 'string' | 'field' | 'name' | 'sign';
  readonly text: string;
}

export const isSign = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'sign' && token.text === text;

const TOKEN =
  /\s*(?:(?<quoted>"(?:[^"\\\n]|\\.)*")|`(?<raw>[^`]*)`|(?<field>\.[\w.]*)|(?<name>[A-Za-z_]\w*)|(?<sign>[|()]))/y;

/** The words of an action. */
export function tokens(inner: string, where: string): Token[] {
  const found: Token[] = [];
  const end = inner.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(inner)?.groups;
    if (groups === undefined) {
      const rest = inner.slice(at).trimStart();
      if (rest.startsWith('$')) throw unsupported(`a variable in ${where}`, 'templates have no variables');
      if (/^[0-9+-]/.test(rest)) throw unsupported(`a number in ${where}`, 'templates have texts only');
      throw malformed(`${where} cannot be read`);
    }
    const { quoted, raw, field, name, sign } = groups;
    if (quoted !== undefined) found.push({ kind: 'string', text: unquote(quoted, where) });
    else if (raw !== undefined) found.push({ kind: 'string', text: raw });
    else if (field !== undefined) found.push({ kind: 'field', text: field });
    else if (name !== undefined) found.push({ kind: 'name', text: name });
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign });
  }
  return found;
}

function unquote(quoted: string, where: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw malformed(`${where} has a text with an escape that is none`);
  }
}
