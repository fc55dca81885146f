import type { FetchImplementation } from 'jose';

// Identity providers publish 2 to 20 KiB, certificates included.
const MAX_JWKS_BYTES = 262_144;

/** A fetch for jose with a limit on the body. jose sets the timeout, refuses redirects and checks the status. */
export const fetchJwks: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return response;
  }

  const chunks: Uint8Array[] = [];
  let size = 0;
  // Throwing inside the loop cancels the body, and so the transfer.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_JWKS_BYTES) throw new Error(`JSON Web Key Set is larger than ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: 200 });
};
