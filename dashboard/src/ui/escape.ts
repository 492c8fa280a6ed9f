/** Text from tasks is text. The rule: what a reader cannot see (control, bidi, zero-width) is shown as an escape. */
export type Piece = { text: string; escaped: boolean };

// C0/C1 but not TAB or LF, soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers, Mongolian
// separators, zero-width and bidi marks, line separators, invisible operators, BOM, interlinear marks, tags,
// variation selectors supplement and lone surrogates.
// biome-ignore-start lint/suspicious/noControlCharactersInRegex lint/suspicious/noMisleadingCharacterClass: they are what is looked for
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff]|[\u{e0000}-\u{e0fff}]|[\u{1d173}-\u{1d17a}]/gu;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex lint/suspicious/noMisleadingCharacterClass: end

const NAMED: Record<string, string> = { "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0" };

function escapeOf(character: string): string {
  const named = NAMED[character];
  if (named) return named;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Split `text` into plain and escaped pieces; `multiline` keeps TAB and LF as they are. */
export function pieces(text: string, multiline = false): Piece[] {
  const found: Piece[] = [];
  const source = multiline ? UNSEEN : new RegExp(`${UNSEEN.source}|[\\t\\n]`, "gu");
  let last = 0;
  for (const match of text.matchAll(source)) {
    if (match.index > last) found.push({ text: text.slice(last, match.index), escaped: false });
    found.push({ text: escapeOf(match[0]), escaped: true });
    last = match.index + match[0].length;
  }
  if (last < text.length) found.push({ text: text.slice(last), escaped: false });
  return found;
}

/** The same as one string, for titles and labels. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join("");
}
