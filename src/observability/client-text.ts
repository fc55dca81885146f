const MAX_LENGTH = 128;
/** Control characters, and those that change the direction or the line of text. A terminal would obey them. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Text that looks like a token, wherever a client put it. */
const TOKEN = /eyJ[\w-]{4,}(?:\.[\w-]*)+/g;

const PLAIN = /^[\x20-\x7e]*$/;

/** Makes text of a client safe for a log line or a span: short, visible, and without a token. */
export function clientText(text: string | undefined, maxLength = MAX_LENGTH): string | undefined {
  if (text === undefined) return undefined;
  if (text.length <= maxLength && PLAIN.test(text) && !text.includes('eyJ')) return text;
  // Cut before the replacements, because a long text would cost too much, and after them, because they make it longer.
  const shown = text
    .slice(0, maxLength * 4)
    .replace(TOKEN, '(token)')
    .slice(0, maxLength)
    .replace(UNSHOWABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return text.length > maxLength ? `${shown}…` : shown;
}

/** The path of a request without its query, which may contain a token. */
export function clientPath(url: string | undefined): string | undefined {
  const end = url?.search(/[?#]/) ?? -1;
  return clientText(end < 0 ? url : url?.slice(0, end));
}
