const DEFLATE = 'permessage-deflate';
const TOKEN = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+`;
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
/** An extension name or a parameter, and its separator (RFC 6455 §9.1). */
const PART = new RegExp(String.raw`[ \t]*(?:(${TOKEN})(?:[ \t]*=[ \t]*(${TOKEN}|${QUOTED}))?[ \t]*)?(,|;|$)`, 'y');

type Parameter = readonly [name: string, value: string | undefined];

interface Offer {
  readonly name: string;
  readonly parameters: readonly Parameter[];
}

/** The parameters of permessage-deflate, and the values that each takes (RFC 7692 §7.1). */
const FITS = new Map<string, (value: string | undefined) => boolean>([
  ['server_no_context_takeover', (value) => value === undefined],
  ['client_no_context_takeover', (value) => value === undefined],
  ['server_max_window_bits', (value) => value !== undefined && isWindow(value)],
  ['client_max_window_bits', (value) => value === undefined || isWindow(value)],
]);

/**
 * Selects from Sec-WebSocket-Extensions the first acceptable offer of permessage-deflate, as the header for `ws`. `ws`
 * fails the handshake for an offer with an unknown parameter, and for an empty list element; but RFC 7692 §7 wants the
 * offer declined, and RFC 9110 §5.6.1.2 the element ignored.
 *
 * @returns '' if nothing is negotiated; undefined if the header is malformed
 */
export function acceptableOffer(header: string): string | undefined {
  const offers = readOffers(header);
  if (offers === undefined) return undefined;
  const accepted = offers.find(({ name, parameters }) => name === DEFLATE && isAcceptable(parameters));
  return accepted === undefined ? '' : [DEFLATE, ...accepted.parameters.map(written)].join('; ');
}

function isAcceptable(parameters: readonly Parameter[]): boolean {
  const names = new Set(parameters.map(([name]) => name));
  return names.size === parameters.length && parameters.every(([name, value]) => FITS.get(name)?.(value) ?? false);
}

function isWindow(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value);
}

function written([name, value]: Parameter): string {
  return value === undefined ? name : `${name}=${value}`;
}

/** Undefined if the header is malformed. */
function readOffers(header: string): readonly Offer[] | undefined {
  const offers: Offer[] = [];
  let parts: Parameter[] = [];
  PART.lastIndex = 0;
  for (;;) {
    const [, name, value, behind] = PART.exec(header) ?? [];
    // The pattern starts from the beginning when it does not match.
    if (behind === undefined) return undefined;
    if (name !== undefined) parts.push([name, value && unquoted(value)]);
    else if (behind === ';' || parts.length > 0) return undefined;
    if (behind === ';') continue;
    const [extension, ...parameters] = parts;
    // Only parameters have values.
    if (extension?.[1] !== undefined) return undefined;
    if (extension) offers.push({ name: extension[0], parameters });
    if (behind === '') return offers;
    parts = [];
  }
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
