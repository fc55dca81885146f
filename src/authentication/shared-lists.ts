import { CAPABILITIES, NO_ROLES, type Capability } from './principal.js';

// A deployment has a handful of role lists and a hundred thousand connections, so equal lists share an array. The limit
// is for issuers that put unique roles into every token.
const MAX_SHARED_ROLE_LISTS = 1024;
const roleLists = new Map<string, readonly string[]>();

/** A frozen list equal to `roles`, the same array for the same roles while there is room. */
export function shareRoles(roles: readonly string[]): readonly string[] {
  if (roles.length === 0) return NO_ROLES;

  // Not join(): a role may contain any separator, and two users must never share a list that only looks the same.
  const key = JSON.stringify(roles);
  const known = roleLists.get(key);
  if (known !== undefined) return known;

  const list = Object.freeze([...roles]);
  if (roleLists.size < MAX_SHARED_ROLE_LISTS) roleLists.set(key, list);
  return list;
}

const capabilityLists: readonly (readonly Capability[])[] = Array.from(
  { length: 1 << CAPABILITIES.length },
  (_, bits) => Object.freeze(CAPABILITIES.filter((_capability, index) => bits & (1 << index))),
);

/** The shared list of these capabilities, each once. Undefined if a word is not a capability. */
export function shareCapabilities(words: readonly unknown[]): readonly Capability[] | undefined {
  let bits = 0;
  for (const word of words) {
    const index = (CAPABILITIES as readonly unknown[]).indexOf(word);
    if (index < 0) return undefined;
    bits |= 1 << index;
  }
  return capabilityLists[bits];
}
