/** How data begins that is meant as JSON. Numbers and words can be meant as text, too. */
const MEANT_AS_JSON = /^[{["]/;

/**
 * What somebody has typed, as JSON or as plain text.
 *
 * @throws Error if it is empty, or begins as JSON and is none
 */
export function payloadOf(text: string): unknown {
  const typed = text.trim();
  if (typed === '') throw new Error('Nothing was sent: the data is empty.');
  try {
    return JSON.parse(typed);
  } catch (error) {
    if (!MEANT_AS_JSON.test(typed)) return text;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Nothing was sent: the data begins as JSON and is not valid. ${reason}`, { cause: error });
  }
}
