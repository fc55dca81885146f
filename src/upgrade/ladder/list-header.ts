/**
 * Returns the elements of a list header (RFC 9110 §5.6.1), trimmed. Empty elements are ignored, as §5.6.1.2 demands.
 * Only for headers whose elements cannot contain a quoted comma.
 */
export function listElements(header: string): string[] {
  return header.split(',').flatMap((element) => element.trim() || []);
}
