const MAX_LENGTH = 128;
/** Control characters, and those that steer the direction or the line of what is shown: a terminal would obey them. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** What could be a token, wherever a client has put it. */
const TOKEN = /eyJ[\w-]{4,}(?:\.[\w-]*)+/g;

/** Text of a client as a line or a span may hold it: short, visible, and no token. */
export function clientText(text: string | undefined, maxLength = MAX_LENGTH): string | undefined {
  if (text === undefined) return undefined;
  // Before the replacements, or a long text would cost more than it is worth; and after, for those make it longer.
  const shown = text
    .slice(0, maxLength * 4)
    .replace(TOKEN, '(token)')
    .slice(0, maxLength)
    .replace(UNSHOWABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return text.length > maxLength ? `${shown}…` : shown;
}

/** A request's path without its query, where tokens may be. */
export function clientPath(url: string | undefined): string | undefined {
  const end = url?.search(/[?#]/) ?? -1;
  return clientText(end < 0 ? url : url?.slice(0, end));
}
